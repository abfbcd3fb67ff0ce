// TCP flags (RFC 9293 §3.1, RFC 3168): the low byte of a segment's flags, as they stand in byte 13 of the header.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const PSH = 0x08;
export const ACK = 0x10;
export const URG = 0x20;
export const ECE = 0x40;
export const CWR = 0x80;

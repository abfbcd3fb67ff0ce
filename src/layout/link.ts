// Link types (https://www.tcpdump.org/linktypes.html) that the decoder opens.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.

export const NULL = 0;
export const EN10MB = 1;
/** DLT_RAW as some systems wrote it into files. */
export const RAW_12 = 12;
export const RAW_14 = 14;
export const RAW = 101;
export const LOOP = 108;
export const LINUX_SLL = 113;
export const IPV4 = 228;
export const IPV6 = 229;
export const LINUX_SLL2 = 276;

// A filter's program: what the decoder asks of each segment before it takes it.
// This file is compiled by asc and by tsc and must remain portable: integer constants only.
//
// An instruction is INSTRUCTION_WORDS words: one question, and where the program goes on by its answer. PASS and REJECT end it.
//
//   0 question | 1 direction | 2-5 value | 6 prefix bits | 7 next if so | 8 next if not

export const INSTRUCTION_WORDS = 9;
export const INSTRUCTIONS_CAPACITY = 1024;

export const PASS = -1;
export const REJECT = -2;

// Questions.
/** Is an address in a network: the value is its IPv4 address, big-endian, as a number. */
export const NET_V4 = 1;
/** The same of IPv6: four words as they lie in memory. */
export const NET_V6 = 2;
/** Is a port from value 0 to value 1. */
export const PORTS = 3;
/** Is it IPv4. */
export const FAMILY_V4 = 4;
/** Is it IPv6. */
export const FAMILY_V6 = 5;
/** Has the frame a VLAN tag of an id; -1: of any. */
export const VLAN = 6;
/** Is it TCP: all that is asked about is. */
export const TCP = 7;

// Directions.
export const EITHER = 0;
export const SOURCE = 1;
export const DESTINATION = 2;
export const BOTH = 3;

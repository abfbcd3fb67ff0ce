// IP protocols (https://www.iana.org/assignments/protocol-numbers).

// IPv6 extension headers.
export const HOP_BY_HOP = 0;
export const ROUTING = 43;
export const FRAGMENT_HEADER = 44;
export const AUTHENTICATION = 51;
export const DESTINATION = 60;
export const MOBILITY = 135;
export const HIP = 139;
export const SHIM6 = 140;

export const TCP = 6;

// Tunnels, and what may be one.
export const IPIP = 4;
export const UDP = 17;
export const IPV6 = 41;
export const GRE = 47;
export const ESP = 50;
export const ETHERIP = 97;
export const IPCOMP = 108;
export const L2TP = 115;
export const MPLS = 137;
/** As segment routing announces it (RFC 8986 §10.1). */
export const ETHERNET = 143;

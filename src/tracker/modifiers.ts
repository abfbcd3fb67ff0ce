// The modifiers of a close by name, in the order of their bits (layout/modifiers.ts) and of output (SPEC §3).

export const MODIFIER_NAMES = [
  'fin_with_data',
  'fin_retransmitted',
  'fin_seq_changed',
  'fin_inferred',
  'rst_after_close',
  'data_after_rst',
  'rst_storm',
  'keepalive_before_close',
  'zero_window_at_close',
  'reuse_in_time_wait',
  'syn_in_time_wait_challenged',
  'half_open_detected',
  'syn_challenged',
  'out_of_order',
  'gap',
  'one_sided',
  'rst_invalid',
  'rst_challenged',
  'data_after_fin',
  'keepalive_after_fin',
] as const;

export type Modifier = (typeof MODIFIER_NAMES)[number];

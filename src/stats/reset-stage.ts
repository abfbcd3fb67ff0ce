import type { Verdict } from '../tracker/close.ts';
import { RST_AFTER_CLOSE } from '../layout/modifiers.ts';

/** Stages of a connection at which an RST may come. */
export const RESET_STAGES = ['handshake', 'established', 'closing', 'after_close'] as const;
export type ResetStage = (typeof RESET_STAGES)[number];

/** At which stage an RST came; undefined where none did. */
export function resetStage({ class: name, reset, modifiers }: Pick<Verdict, 'class' | 'reset' | 'modifiers'>): ResetStage | undefined {
  if ((modifiers & RST_AFTER_CLOSE) !== 0) return 'after_close';
  if (!reset) return undefined;
  if (name === 'refused' || name === 'aborted_handshake') return 'handshake';
  return name === 'rst_abort' ? 'established' : 'closing';
}

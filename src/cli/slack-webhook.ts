/** The address of Slack's webhook: the secret comes from the environment of whoever asks. */
import { fillVariables } from '../config/variables.ts';
import { messageOf } from '../errors.ts';
import type { House } from './house.ts';

/** Null: the rules in force name none. `why`: it can't be filled in here. */
export function slackWebhook(house: House): { readonly url: string } | { readonly why: string } | null {
  const webhook = house.rules.current()?.rules?.policies.file.channels.slack?.webhook;
  if (webhook === undefined) return null;
  try {
    return { url: fillVariables(webhook, process.env, 'channels.slack') };
  } catch (error) {
    return { why: messageOf(error) };
  }
}

/** An alert as a Slack message, by incoming webhook. The URL is a secret: it appears in no error and no log. */
import { IncomingWebhook, IncomingWebhookHTTPError, type IncomingWebhookSendArguments } from '@slack/webhook';
import { messageOf } from '../errors.ts';
import { visible } from '../problem.ts';
import type { AlertRow } from './alerts.ts';

const TIMEOUT_MS = 5000;
const FIELD_LIMIT = 1900;

/** What came of one attempt. `later` may be tried again, `never` may not. */
export type Attempt =
  | { readonly kind: 'sent' }
  | { readonly kind: 'later'; readonly why: string; readonly waitMs: number | null }
  | { readonly kind: 'never'; readonly why: string };

/** What a notice of a held call adds: where it is answered, and how it stands by now. */
export interface SlackQuestion {
  /** in the console, on this machine */
  readonly url: string;
  readonly code: string;
  /** in words if it has been decided meanwhile */
  readonly outcome: string | null;
}

export async function sendToSlack(
  webhookUrl: string,
  alert: AlertRow,
  repeated: boolean,
  question: SlackQuestion | null = null,
): Promise<Attempt> {
  try {
    // Retrying is the desk's affair: it outlives this process.
    const webhook = new IncomingWebhook(webhookUrl, { timeout: TIMEOUT_MS, retryConfig: { retries: 0 } });
    await webhook.send(slackMessage(alert, repeated, question));
    return { kind: 'sent' };
  } catch (error) {
    return attemptOf(error, webhookUrl);
  }
}

function attemptOf(error: unknown, webhookUrl: string): Attempt {
  if (!(error instanceof IncomingWebhookHTTPError)) {
    const said = messageOf((error as { original?: unknown }).original ?? error);
    return { kind: 'later', why: `Slack could not be reached (${withoutUrls(said, webhookUrl)})`, waitMs: null };
  }
  const why = `Slack answered ${error.statusCode}`;
  if (error.statusCode === 429) return { kind: 'later', why, waitMs: 60_000 };
  // The address is wrong or was revoked, or the message is refused: trying again changes nothing.
  const final = error.statusCode >= 400 && error.statusCode < 500 && error.statusCode !== 408;
  return final ? { kind: 'never', why: `${why}: check the webhook` } : { kind: 'later', why, waitMs: null };
}

function withoutUrls(text: string, webhookUrl: string): string {
  return text.replaceAll(webhookUrl, '(the webhook)').replace(/https?:\/\/\S+/g, '(a URL)');
}

const BADGE = { low: '▫️', medium: '🔶', high: '🔴' } as const;

/** Text from agents and tools stands only in `plain_text`, where nothing is markup. */
export function slackMessage(
  alert: AlertRow,
  repeated: boolean,
  question: SlackQuestion | null = null,
): IncomingWebhookSendArguments {
  const detail = JSON.parse(alert.detail) as Record<string, string>;
  const fields = Object.entries(detail).map(([name, value]) => ({
    type: 'plain_text' as const,
    text: cut(`${name}: ${visible(value)}`),
    emoji: false,
  }));
  const time = new Date(alert.created_at).toISOString();
  return {
    text: escapeSlack(cut(`${BADGE[alert.severity]} ${visible(alert.title)}`)),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          text: `${BADGE[alert.severity]} ${visible(alert.title)}`.slice(0, 150),
          emoji: false,
        },
      },
      ...chunk(fields, 10).map((part) => ({ type: 'section' as const, fields: part })),
      ...(question === null ? [] : questionBlocks(question)),
      {
        type: 'context',
        elements: [
          {
            type: 'plain_text',
            text: `toolgate · ${time} · alert ${alert.id}${repeated ? ' · may be a repeat: it was being sent when toolgate was stopped' : ''}`,
            emoji: false,
          },
        ],
      },
    ],
  };
}

/** All of it is our own text: an address of the console, and a code. */
function questionBlocks({ url, code, outcome }: SlackQuestion) {
  const answer =
    outcome === null
      ? `<${url}|Answer in toolgate> — this link works on the machine where the agent runs.`
      : `Already over. <${url}|See it in toolgate> on the machine where the agent runs.`;
  return [
    { type: 'section' as const, text: { type: 'mrkdwn' as const, text: answer, verbatim: true } },
    {
      type: 'section' as const,
      text: {
        type: 'plain_text' as const,
        text: cut(
          outcome === null
            ? `A webhook can't show the outcome here: it stands in the console under ${code}, and in "toolgate approvals show ${code}".`
            : visible(outcome),
        ),
        emoji: false,
      },
    },
  ];
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string): string {
  return text.length <= FIELD_LIMIT ? text : `${text.slice(0, FIELD_LIMIT - 400)} … ${text.slice(-300)}`;
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

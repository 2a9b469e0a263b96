/**
 * Asks on the desktop: one notification for each open approval of this user, taken off the screen as soon as it is
 * decided anywhere. Buttons only where all of the request is shown; many at once become one notice.
 */
import type { Approval, Verdict } from '../approvals/approval.ts';
import { personBehind, personsOf, requirementsFor } from '../approvals/reviewers.ts';
import { messageOf } from '../errors.ts';
import {
  BODY_LIMIT,
  type Desktop,
  type Notification,
  probeDesktop,
  type Shown,
  showNotification,
  TITLE_LIMIT,
} from '../notify/desktop.ts';
import { visible } from '../problem.ts';

/** More notifications than this at once are a wall that is clicked away. */
const MAX_SHOWN = 3;
/** One that could not be shown is tried again so often. */
const TRIES = 3;
const RETRY_MS = 2000;

export interface NoticePorts {
  /** `os:<user>` */
  readonly voter: string;
  /** whether the owner wants notifications at all */
  readonly wanted: () => boolean;
  readonly open: () => Promise<readonly Approval[]>;
  /** why the answer does not count; null if it does */
  readonly answer: (id: string, verdict: Verdict) => Promise<string | null>;
  /** opens the console, on this approval or on all of them */
  readonly openPage: (id: string | null) => Promise<void>;
  readonly log: (message: string) => void;
}

export interface Notices {
  /** approvals may have changed */
  readonly changed: () => void;
  readonly close: () => void;
}

/** The key of the notice that stands for several. */
const ALL = '';

export function createNotices(ports: NoticePorts): Notices {
  const onScreen = new Map<string, Shown>();
  /** what only tells, and asks nothing */
  const telling = new Set<Shown>();
  /** shown, dismissed or failed: not shown again */
  const done = new Set<string>();
  const failures = new Map<string, number>();
  let desktop: Desktop | null = null;
  let working = false;
  let again = false;
  let closed = false;

  const tell = (notification: Notification) => {
    const shown = showNotification(desktop!, notification);
    telling.add(shown);
    void shown.reaction.then(() => telling.delete(shown));
  };

  const put = (key: string, notification: Notification) => {
    const shown = showNotification(desktop!, notification);
    onScreen.set(key, shown);
    void shown.reaction
      .then(async (reaction) => {
        if (onScreen.get(key) !== shown) return;
        onScreen.delete(key);
        if (closed) return;
        switch (reaction.kind) {
          case 'approve':
          case 'deny': {
            const why = await ports.answer(key, reaction.kind);
            if (why === null) break;
            // It must not look as if it had counted: it is said, and asked again while it is open.
            tell({ title: `Not counted: ${reaction.kind}`, body: why, buttons: false });
            done.delete(key);
            changed();
            break;
          }
          case 'open':
            await ports.openPage(key === ALL ? null : key);
            break;
          case 'closed':
            break;
          case 'failed': {
            const failed = (failures.get(key) ?? 0) + 1;
            failures.set(key, failed);
            ports.log(reaction.why);
            if (failed >= TRIES) break;
            if (key === ALL) done.clear();
            else done.delete(key);
            desktop = null;
            setTimeout(changed, RETRY_MS).unref();
          }
        }
      })
      .catch((error) => ports.log(messageOf(error)));
  };

  const take = (key: string) => {
    const shown = onScreen.get(key);
    onScreen.delete(key);
    shown?.close();
  };

  const look = async () => {
    const open = (await ports.open()).filter((approval) => isMine(approval, ports));
    const ids = new Set(open.map(({ id }) => id));
    for (const key of [...onScreen.keys()]) if (key !== ALL && !ids.has(key)) take(key);
    for (const id of done) if (!ids.has(id)) done.delete(id);
    for (const key of failures.keys()) if (key !== ALL && !ids.has(key)) failures.delete(key);
    const fresh = open.filter(({ id }) => !done.has(id));
    const together = onScreen.get(ALL);
    if (together !== undefined && open.length === 0) take(ALL);
    if (fresh.length === 0 || !ports.wanted()) return;
    desktop ??= await probeDesktop();
    for (const { id } of fresh) done.add(id);
    if (together !== undefined || onScreen.size + fresh.length > MAX_SHOWN) {
      for (const key of [...onScreen.keys()]) take(key);
      put(ALL, {
        title: `${open.length} calls wait for you`,
        body: open.map(oneLine).join('\n'),
        buttons: false,
      });
    } else for (const approval of fresh) put(approval.id, noticeOf(approval, ports));
  };

  const changed = () => {
    if (closed) return;
    again = true;
    if (working) return;
    working = true;
    void (async () => {
      while (again && !closed) {
        again = false;
        await look().catch((error) => ports.log(messageOf(error)));
      }
      working = false;
    })();
  };

  return {
    changed,
    close: () => {
      closed = true;
      for (const key of [...onScreen.keys()]) take(key);
      for (const shown of telling) shown.close();
    },
  };
}

/** Asked of this user, who has a desktop and has not answered yet. */
function isMine(approval: Approval, { voter }: NoticePorts): boolean {
  if (approval.votes.some((vote) => vote.voter === voter)) return false;
  return approval.requirements.some(
    (requirement) => personBehind(voter, personsOf(requirement.reviewers, approval.reviewers))?.desktop === true,
  );
}

/** With buttons only if nothing of the request is masked, cut, or can't be seen, and no reason has to be typed. */
export function noticeOf(approval: Approval, { voter }: Pick<NoticePorts, 'voter'>): Notification {
  const { subject, requirements, code } = approval;
  const title = `${subject.agent.name}: ${subject.integration} · ${subject.tool}?`;
  const request = `${JSON.stringify(subject.arguments)}\n${subject.calledName} on ${subject.server ?? 'the shell'}`;
  const body = `${request}\n${requirements.map(({ policy }) => policy).join('; ')}\n${code}`;
  const whole =
    subject.complete &&
    title.length <= TITLE_LIMIT &&
    body.length <= BODY_LIMIT &&
    visible(title) === title &&
    visible(body) === body &&
    !requirementsFor(voter, requirements, approval.reviewers).some(({ reasonRequired }) => reasonRequired);
  return {
    title,
    body: whole ? body : `${request}\nOpen it to see all of it, and to answer.\n${code}`,
    buttons: whole,
  };
}

function oneLine({ subject }: Approval): string {
  return `${subject.agent.name}: ${subject.integration} · ${subject.tool}`;
}

/** The demo's held call: a person at the terminal answers it; where there is none, the demo does, and says so. */
import { fileURLToPath } from 'node:url';
import { liveApprovals } from '../approvals/book.ts';
import { mintReviewerKey } from '../approvals/keys.ts';
import { voterOfKey, voterOfUser } from '../approvals/reviewers.ts';
import { GatewayError } from '../errors.ts';
import { answerApproval } from './answer.ts';
import { outcomeWords } from './approvals.ts';
import { runningDesk, signInUrl } from './console.ts';
import { type House, type HouseFlags, ownerOf } from './house.ts';
import { print } from './output.ts';
import { confirm, isTerminal, underAgent } from './person.ts';

const ASK_WAIT_MS = 10_000;
const VALID_MS = 600_000;

export async function answerHeld(
  house: House,
  folders: HouseFlags,
  signal: AbortSignal,
  calling: Promise<unknown>,
): Promise<void> {
  const approval = await openApproval(house, signal);
  const { code } = approval;
  await house.rules.load();
  print(`          ${code}: the call waits for a person, as the policy "A person decides what is forgotten" wants.`);
  const desk = await runningDesk(house);
  if (!isTerminal() || !process.stdout.isTTY || underAgent() !== null) {
    const owner = ownerOf(house);
    await house.store.write((tx) => mintReviewerKey(tx, owner, Date.now()));
    print('          Nobody sits at a terminal, so the demo approves it itself, with a reviewer key of its own.');
    await answerApproval(house, approval.id, {
      voter: voterOfKey(owner),
      verdict: 'approve',
      channel: 'command line',
      reason: 'the demo answers for itself',
    });
    return;
  }
  // The launcher, which finds a Node that will do.
  const launcher = fileURLToPath(new URL('../bin/toolgate.cjs', import.meta.url));
  const program = `node ${quoted(launcher)} --config ${quoted(folders.config)} --state ${quoted(folders.state)}`;
  print(
    [
      '          You are the reviewer. It runs once if you approve it, within ten minutes, in any of these ways:',
      ...(desk === null
        ? []
        : [`            in the browser   ${await signInUrl(house, desk, `/approvals/${approval.id}`, VALID_MS)}`]),
      `            in another shell ${program} approve ${code}`,
      '            on your desktop  by the notification, if one has appeared',
      '            or right here:',
    ].join('\n'),
  );
  const answered = new AbortController();
  const elsewhere = calling.catch(() => {}).finally(() => answered.abort());
  const yes = await Promise.race([
    confirm('          Approve it? (no denies it)', AbortSignal.any([answered.signal, signal])),
    elsewhere.then(() => null),
  ]);
  if (yes === null || signal.aborted || answered.signal.aborted) return;
  const verdict = yes ? 'approve' : 'deny';
  const result = await answerApproval(house, approval.id, {
    voter: voterOfUser(house.owner),
    verdict,
    channel: 'command line',
    reason: null,
  });
  if (result !== null && result.kind !== 'answered')
    print(`          ${result.kind === 'refused' ? result.why : outcomeWords(house, result.approval)}`);
}

function quoted(path = ''): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

async function openApproval(house: House, signal: AbortSignal) {
  const deadline = performance.now() + ASK_WAIT_MS;
  while (performance.now() < deadline && !signal.aborted) {
    const [approval] = (await house.store.read(liveApprovals)).filter(({ state }) => state === 'open');
    if (approval !== undefined) return approval;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new GatewayError('timeout', 'the held call did not appear');
}

/** Who may answer, and whether enough have. Pure. */
import type { Remember, Requirement } from '../call.ts';
import type { Approval, Vote } from './approval.ts';

/** A reviewer as policies.yaml writes it: a person, or a group of them. */
export interface ReviewerEntry {
  readonly os?: string | undefined;
  readonly slack?: string | undefined;
  readonly desktop?: boolean | undefined;
  readonly members?: readonly string[] | undefined;
}

export type ReviewerEntries = Readonly<Record<string, ReviewerEntry>>;

/** One human who may answer. */
export interface Person {
  readonly id: string;
  /** the operating system's user as whom console and command line speak; null if this person has none here */
  readonly os: string | null;
  readonly desktop: boolean;
}

/** Before the name of an OS user who stands in no `reviewers`: the owner, where no policy names anybody. */
const OS_USER = '@';

/** The reviewer for policies that name none: the owner, by the id that the file gives to that OS user. */
export function ownerReviewer(entries: ReviewerEntries, owner: string): string {
  return Object.entries(entries).find(([, entry]) => entry.os === owner)?.[0] ?? `${OS_USER}${owner}`;
}

/** A reviewer's id as people read it. */
export function reviewerName(id: string): string {
  return id.startsWith(OS_USER) ? id.slice(1) : id;
}

/** Groups resolved; each person once. An id that the file no longer names is nobody. */
export function personsOf(ids: readonly string[], entries: ReviewerEntries): Person[] {
  const found = new Map<string, Person>();
  const add = (id: string, groups: boolean) => {
    const entry = Object.hasOwn(entries, id) ? entries[id] : undefined;
    if (entry?.members !== undefined) {
      if (groups) for (const member of entry.members) add(member, false);
    } else if (entry !== undefined) found.set(id, { id, os: entry.os ?? null, desktop: entry.desktop !== false });
    else if (id.startsWith(OS_USER)) found.set(id, { id, os: id.slice(1), desktop: true });
  };
  for (const id of ids) add(id, true);
  return [...found.values()];
}

/** Who speaks, whatever the channel: a user of the system, or the holder of a reviewer's key. */
export function voterOfUser(user: string): string {
  return `os:${user}`;
}

export function voterOfKey(reviewer: string): string {
  return `key:${reviewer}`;
}

/** A voter as people read it. */
export function voterName(voter: string): string {
  return reviewerName(voter.replace(/^(os|key):/, ''));
}

/** Which person of a list speaks: the first whose user it is, or the one whose key it is. Null: none. */
export function personBehind(voter: string, persons: readonly Person[]): Person | null {
  return persons.find(({ id, os }) => voter === voterOfKey(id) || (os !== null && voter === voterOfUser(os))) ?? null;
}

/** How far one requirement is met. */
export interface Progress {
  readonly requirement: Requirement;
  readonly persons: readonly Person[];
  /** ids of those who approved; each person counts once */
  readonly approvedBy: readonly string[];
  readonly met: boolean;
}

export function progressOf(
  requirements: readonly Requirement[],
  votes: readonly Vote[],
  entries: ReviewerEntries,
): Progress[] {
  return requirements.map((requirement) => {
    const persons = personsOf(requirement.reviewers, entries);
    const approvedBy = new Set(
      votes
        .filter(({ verdict }) => verdict === 'approve')
        // A reason that is asked for by now, and was not given, leaves this one open.
        .filter(({ reason }) => !requirement.reasonRequired || hasReason(reason))
        .flatMap(({ voter }) => personBehind(voter, persons)?.id ?? []),
    );
    return { requirement, persons, approvedBy: [...approvedBy], met: approvedBy.size >= requirement.approvals };
  });
}

export function hasReason(reason: string | null): boolean {
  return reason !== null && reason.trim() !== '';
}

/** The requirements that this voter is asked for. */
export function requirementsFor(
  voter: string,
  requirements: readonly Requirement[],
  entries: ReviewerEntries,
): Requirement[] {
  return requirements.filter(({ reviewers }) => personBehind(voter, personsOf(reviewers, entries)) !== null);
}

/** What is left for a voter to say. */
export interface Ask {
  readonly asked: boolean;
  /** the policy that wants a reason from this voter; null if none does */
  readonly wantsReason: string | null;
  /** has approved, and can add nothing: to deny is still possible */
  readonly hasApproved: boolean;
  /** what this voter's yes may count for beside this call */
  readonly offers: readonly Remember[];
}

export const NOT_ASKED = 'you are not among the reviewers of this request';
export const ANSWERED_ALREADY = 'you have already answered; others are still asked';

/** A reason that is wanted by now, and was not given, is left to say. */
export function askOf(
  voter: string,
  { requirements, reviewers, votes }: Pick<Approval, 'requirements' | 'reviewers' | 'votes'>,
): Ask {
  const mine = requirementsFor(voter, requirements, reviewers);
  const wantsReason = mine.find(({ reasonRequired }) => reasonRequired)?.policy ?? null;
  const vote = votes.find((each) => each.voter === voter);
  return {
    asked: mine.length > 0,
    wantsReason,
    hasApproved: vote !== undefined && (wantsReason === null || hasReason(vote.reason)),
    offers: mine.flatMap(({ remember }) => remember ?? []),
  };
}

/**
 * Why nobody could ever answer; null if enough can. `voters` are those who have a channel here: the OS user of the
 * state folder, and the reviewers with a key.
 */
export function unreachable(
  requirements: readonly Pick<Requirement, 'policy' | 'reviewers' | 'approvals'>[],
  entries: ReviewerEntries,
  voters: readonly string[],
): string | null {
  for (const requirement of requirements) {
    const persons = personsOf(requirement.reviewers, entries);
    const able = new Set(voters.flatMap((voter) => personBehind(voter, persons)?.id ?? []));
    if (able.size >= requirement.approvals) continue;
    const asked = requirement.reviewers.map(reviewerName).join(', ');
    return `the policy "${requirement.policy}" asks ${requirement.approvals === 1 ? '' : `${requirement.approvals} of `}${asked}, of whom ${able.size === 0 ? 'nobody' : `only ${[...able].map(reviewerName).join(', ')}`} can answer on this machine`;
  }
  return null;
}

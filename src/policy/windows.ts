/**
 * Hours of the week, such as `Mon-Fri 09:00-18:00`, by the clock on the wall of a zone: what the clock shows decides, so
 * that summer time needs no rule of its own. Pure, but for the zones that the runtime knows.
 */

/** Some hours on some days. */
export interface Window {
  /** Monday is 0; of a window over midnight, the days on which it begins */
  readonly days: readonly number[];
  /** minutes of the day; `to` is not in it. Over midnight if `to` isn't after `from` */
  readonly from: number;
  readonly to: number;
}

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const DAY_MINUTES = 24 * 60;

/** `Mon-Fri 09:00-18:00`, `Sat,Sun`, `22:00-06:00`; or what is wrong with it, as fault and mend. */
export function readWindow(text: string): Window | readonly [fault: string, mend: string] {
  const words = text
    .trim()
    .replace(/\s*([-,])\s*/g, '$1')
    .split(/\s+/);
  const hoursAt = words.findIndex((word) => /^\d/.test(word));
  const dayWords = hoursAt === -1 ? words : words.slice(0, hoursAt);
  const hours = hoursAt === -1 ? null : words.slice(hoursAt).join(' ');
  const days = new Set<number>();
  for (const word of dayWords.flatMap((each) => each.split(',')).filter((each) => each !== '')) {
    const [first, last = first, ...more] = word.split('-').map(dayOf);
    if (first === undefined || first === null || last === undefined || last === null || more.length > 0)
      return [`"${word}" is not a day or a range of days`, 'write them like this: Mon-Fri, or Mon,Wed,Sun'];
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  const chosen = days.size === 0 ? EVERY_DAY : [...days].sort();
  if (hours === null) {
    if (days.size > 0) return { days: chosen, from: 0, to: DAY_MINUTES };
    return ['the hours are empty', 'write days, hours or both: Mon-Fri 09:00-18:00'];
  }
  const match = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(hours);
  const from = match === null ? null : minuteOf(match[1]!, match[2]!);
  const to = match === null ? null : minuteOf(match[3]!, match[4]!);
  if (from === null || to === null || from === DAY_MINUTES)
    return [`"${hours}" are not hours of a day`, 'write them like this: 09:00-18:00'];
  if (from === to) return [`"${hours}" is no time at all`, 'write days alone if the whole day is meant'];
  return { days: chosen, from, to };
}

function dayOf(word: string): number | null {
  const folded = word.toLowerCase();
  const found = folded.length < 3 ? -1 : DAYS.findIndex((day) => day.startsWith(folded));
  return found === -1 ? null : found;
}

/** 24:00 is the end of the day. */
function minuteOf(hour: string, minute: string): number | null {
  const [hours, minutes] = [Number(hour), Number(minute)];
  if (minutes > 59 || hours > 24 || (hours === 24 && minutes > 0)) return null;
  return hours * 60 + minutes;
}

/** Whether the runtime knows a zone by this name. */
export function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== null;
  } catch {
    return false;
  }
}

/** What the clock on the wall shows. */
export interface WallClock {
  /** Monday is 0 */
  readonly day: number;
  /** minute of the day */
  readonly minute: number;
}

const SHORT_DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const MINUTE_MS = 60_000;

type Clock = (now: number) => WallClock;

/** Dear to make, and few: one for each zone that the runtime knows. */
const CLOCKS = new Map<string, Clock>();

/** The clock of a zone: from milliseconds since the epoch to what it shows. Repeats within a minute cost nothing. */
export function clockOf(zone: string): Clock {
  const clock = CLOCKS.get(zone) ?? newClock(zone);
  CLOCKS.set(zone, clock);
  return clock;
}

function newClock(zone: string): Clock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  let last = { minute: Number.NaN, shows: { day: 0, minute: 0 } };
  return (now) => {
    // No zone in use is off from UTC by less than a minute.
    const minute = Math.floor(now / MINUTE_MS);
    if (minute === last.minute) return last.shows;
    const parts = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
    const shows = {
      day: SHORT_DAYS.indexOf(parts['weekday']!),
      minute: Number(parts['hour']) * 60 + Number(parts['minute']),
    };
    last = { minute, shows };
    return shows;
  };
}

/** Whether the clock shows a time in any of the windows. */
export function isInside(windows: readonly Window[], { day, minute }: WallClock): boolean {
  const yesterday = (day + 6) % 7;
  return windows.some(({ days, from, to }) => {
    if (from < to) return days.includes(day) && minute >= from && minute < to;
    return (days.includes(day) && minute >= from) || (days.includes(yesterday) && minute < to);
  });
}

/** As people write it: `Mon-Fri 09:00-18:00`. */
export function describeWindow({ days, from, to }: Window): string {
  const hours = from === 0 && to === DAY_MINUTES ? '' : `${clockText(from)}-${clockText(to)}`;
  if (days.length === 7) return hours === '' ? 'Mon-Sun' : hours;
  const consecutive = days.every((day, index) => index === 0 || day === days[index - 1]! + 1);
  const names =
    consecutive && days.length > 2
      ? `${SHORT_DAYS[days[0]!]}-${SHORT_DAYS[days.at(-1)!]}`
      : days.map((day) => SHORT_DAYS[day]).join(',');
  return hours === '' ? names : `${names} ${hours}`;
}

/** What a clock shows, as people say it: `Mon 09:05`. */
export function describeClock({ day, minute }: WallClock): string {
  return `${SHORT_DAYS[day]} ${clockText(minute)}`;
}

function clockText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

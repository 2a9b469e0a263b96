import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clockOf, describeClock, describeWindow, isInside, readWindow, type Window } from '../../src/policy/windows.ts';

const windowOf = (text: string): Window => {
  const read = readWindow(text);
  if (Array.isArray(read)) throw new Error(read[0]);
  return read as Window;
};
const shows = (at: string, zone: string) => describeClock(clockOf(zone)(Date.parse(at)));

describe('hours of the week', () => {
  test.each([
    ['Mon-Fri 09:00-18:00', 'Mon-Fri 09:00-18:00'],
    ['monday - friday 9:00 - 18:00', 'Mon-Fri 09:00-18:00'],
    ['Sat,Sun', 'Sat,Sun'],
    ['22:00-06:00', '22:00-06:00'],
    ['Fri-Mon 00:00-24:00', 'Mon,Fri,Sat,Sun'],
    ['Mon, Wed 08:30-12:00', 'Mon,Wed 08:30-12:00'],
    ['Tues 10:00-11:00', 'Tue 10:00-11:00'],
  ])('%s is read as %s', (text, meant) => expect(describeWindow(windowOf(text))).toBe(meant));

  test.each([
    ['Funday', '"Funday" is not a day or a range of days'],
    ['Mon-Fri-Sun', '"Mon-Fri-Sun" is not a day or a range of days'],
    ['9-17', '"9-17" are not hours of a day'],
    ['Mon 09:00', '"09:00" are not hours of a day'],
    ['25:00-26:00', '"25:00-26:00" are not hours of a day'],
    ['09:60-10:00', '"09:60-10:00" are not hours of a day'],
    ['24:00-06:00', '"24:00-06:00" are not hours of a day'],
    ['09:00-09:00', '"09:00-09:00" is no time at all'],
    ['09:00-18:00 Mon', '"09:00-18:00 Mon" are not hours of a day'],
    ['M 09:00-18:00', '"M" is not a day or a range of days'],
    [' ', 'the hours are empty'],
  ])('%s is refused', (text, fault) => expect(readWindow(text)).toEqual([fault, expect.stringContaining('')]));

  test.each([
    ['Mon-Fri 09:00-18:00', 'Mon 09:00', true],
    ['Mon-Fri 09:00-18:00', 'Mon 08:59', false],
    ['Mon-Fri 09:00-18:00', 'Fri 17:59', true],
    ['Mon-Fri 09:00-18:00', 'Fri 18:00', false],
    ['Mon-Fri 09:00-18:00', 'Sat 12:00', false],
    ['Fri 22:00-06:00', 'Fri 22:00', true],
    ['Fri 22:00-06:00', 'Sat 05:59', true],
    ['Fri 22:00-06:00', 'Sat 06:00', false],
    ['Fri 22:00-06:00', 'Fri 05:00', false],
    ['Sun 22:00-06:00', 'Mon 01:00', true],
    ['22:00-06:00', 'Wed 01:00', true],
    ['22:00-06:00', 'Wed 12:00', false],
    ['Sat,Sun', 'Sun 23:59', true],
    ['Sat,Sun', 'Mon 00:00', false],
    ['00:00-24:00', 'Wed 23:59', true],
  ])('%s holds %s: %s', (text, at, inside) => {
    const [day, time] = at.split(' ') as [string, string];
    const [hour, minute] = time.split(':').map(Number) as [number, number];
    const clock = { day: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'].indexOf(day), minute: hour * 60 + minute };
    expect(isInside([windowOf(text)], clock)).toBe(inside);
  });
});

describe('the clock of a zone', () => {
  test.each([
    ['2026-11-23T09:00:00Z', 'Europe/London', 'Mon 09:00'],
    ['2026-07-20T08:00:00Z', 'Europe/London', 'Mon 09:00'],
    // Summer time ends: 01:30 is shown twice.
    ['2026-10-25T00:30:00Z', 'Europe/London', 'Sun 01:30'],
    ['2026-10-25T01:30:00Z', 'Europe/London', 'Sun 01:30'],
    // Summer time begins: 02:30 is never shown.
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', 'Sun 01:59'],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', 'Sun 03:00'],
    ['2026-11-22T23:59:00Z', 'Asia/Kolkata', 'Mon 05:29'],
    ['2026-11-23T00:00:00Z', 'America/New_York', 'Sun 19:00'],
    ['2026-11-23T00:00:00Z', 'Pacific/Kiritimati', 'Mon 14:00'],
    ['2026-11-23T00:00:00Z', 'UTC', 'Mon 00:00'],
  ])('%s in %s shows %s', (at, zone, shown) => expect(shows(at, zone)).toBe(shown));

  test('asked again it shows the same, in any order', () => {
    const clock = clockOf('Australia/Lord_Howe');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (now) => {
        expect(clock(now)).toEqual(clockOf('Australia/Lord_Howe')(now));
      }),
      { numRuns: 300 },
    );
  });
});

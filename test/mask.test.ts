import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMask } from '../src/mask.ts';
import { processorMs } from './support/timed.ts';

const TOKEN = `ghp_${'a1B2'.repeat(8)}`;

describe('what a policy takes out', () => {
  test.each<[string[], unknown, unknown]>([
    [
      ['emails'],
      'write to ann@acme.com, or bob.b+x@mail.acme.co.uk.',
      'write to [redacted:email], or [redacted:email].',
    ],
    [['emails'], 'mailto:ann%40acme.com ann＠acme.com', 'mailto:[redacted:email] [redacted:email]'],
    [['emails'], 'josé@bücher.example', '[redacted:email]'],
    [['emails'], 'no@mail, @none, a@b', 'no@mail, @none, a@b'],
    [['emails'], { 'ann@acme.com': [1, 'x', null] }, { '[redacted:email]': [1, 'x', null] }],
    [['emails'], '{"to":["ann@acme.com"],"n":1}', '{"to":["[redacted:email]"],"n":1}'],
    [['emails'], Buffer.from('to: ann@acme.com').toString('base64'), '[redacted:encoded]'],
    [
      ['emails'],
      Buffer.from('nothing in here at all').toString('base64'),
      Buffer.from('nothing in here at all').toString('base64'),
    ],
    [
      ['secrets'],
      { password: 'x', note: `key ${TOKEN}` },
      {
        password: expect.stringMatching(/^\[redacted:value/),
        note: expect.stringMatching(/^key \[redacted:github-token/),
      },
    ],
    [
      ['phone'],
      { a: { phone: '1' }, b: [{ Phone: ['2', '3'] }] },
      { a: { phone: '[redacted:field]' }, b: [{ Phone: '[redacted:field]' }] },
    ],
    [
      ['customer.phone'],
      { customer: [{ phone: '1' }], phone: '2' },
      { customer: [{ phone: '[redacted:field]' }], phone: '2' },
    ],
    [['phone'], 'text {"phone":"1"}', 'text {"phone":"1"}'],
    [['phone'], '[{"phone":"1"}]', '[{"phone":"[redacted:field]"}]'],
    [['phone'], { phone: null }, { phone: null }],
    [['emails'], '{"by":"ann@acme.com","by":"x"}', '{"by":"x"}'],
    [['phone'], '{"phone":"1"}\n{"phone":"2"}', '{"phone":"[redacted:field]"}\n{"phone":"[redacted:field]"}'],
    [['phone'], JSON.stringify('{"phone":"1"}'), JSON.stringify('{"phone":"[redacted:field]"}')],
    [['phone'], '\ufeff{"phone":"1"}', '{"phone":"[redacted:field]"}'],
    [['emails'], 'ann\\u0040acme.com', '[redacted:email]'],
    [['emails'], '"ann smith"@acme.com', '[redacted:email]'],
    [['emails'], Buffer.from('jos\u00e9 ann@acme.com', 'latin1').toString('base64'), '[redacted:encoded]'],
    [['emails'], Buffer.from('to: ann@acme.com', 'utf16le').toString('base64'), '[redacted:encoded]'],
    [['emails'], `x/${Buffer.from('to: ann@acme.com').toString('base64')}`, '[redacted:encoded]'],
    [
      ['emails'],
      Buffer.from(`ann@acme.com ${'x'.repeat(60)}`)
        .toString('base64')
        .replace(/(.{20})/g, '$1\n'),
      expect.not.stringContaining('YW5u'),
    ],
  ])('%j of %j', (items, value, masked) => expect(createMask(items)!(value)).toEqual(masked));

  test('what goes too deep, or is too long to look into, is withheld and does not throw', () => {
    const mask = createMask(['emails', 'secrets', 'phone'])!;
    const deep = '['.repeat(5000) + ']'.repeat(5000);
    expect(JSON.stringify(mask({ a: deep }))).toContain('[redacted:too deep]');
    let nested: unknown = 'x';
    for (let depth = 0; depth < 5000; depth++) nested = [nested];
    expect(mask(nested)).toBeDefined();
    expect(mask({ a: 'A'.repeat(8_000_000) })).toEqual({ a: 'A'.repeat(8_000_000) });
  });

  test('fields in the _meta of an envelope are data', () => {
    expect(createMask(['phone'])!({ content: [{ _meta: { phone: '1' } }] }, 'envelope')).toEqual({
      content: [{ _meta: { phone: '[redacted:field]' } }],
    });
  });

  test('nothing to take out is no mask', () => expect(createMask([])).toBeNull());

  test('a value in which there is nothing is passed on itself', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const mask = createMask(['emails', 'secrets', 'phone'])!;
        if (JSON.stringify(mask(value)) === JSON.stringify(value)) expect(mask(value)).toBe(value);
      }),
    );
  });

  test('fields of an envelope are the protocol’s own', () => {
    const mask = createMask(['text'])!;
    expect(mask({ type: 'text', text: '{"text":"x"}' }, 'envelope')).toEqual({
      type: 'text',
      text: '{"text":"[redacted:field]"}',
    });
  });

  test.each(['a@', 'a.', 'a%40', 'ab+/', '@a.'])('100 KB of %j take no time', (unit) => {
    const text = unit.repeat(100_000 / unit.length);
    expect(processorMs(() => createMask(['emails', 'secrets'])!(text))).toBeLessThan(2000);
  });
});

import { describe, expect, test } from 'vitest';
import { decideDiscovery } from '../../src/policy/decide.ts';
import { agentOf, compile, gatheredOf, judge } from '../support/judge.ts';

const REVIEWERS = 'reviewers: { ann: { os: ann }, bob: { os: bob }, leads: { members: [ann, bob] } }\n';

describe('a decision', () => {
  test('says who must approve, how many, by when and with what, and what else each policy offers', () => {
    const policies = compile(`${REVIEWERS}defaults: { reviewers: [bob] }
policies:
  - { name: Plain, if: { tool: save_it }, action: require approval }
  - name: Whole
    if: { tool: save_it }
    action: require approval
    approval: { reviewers: [leads], approvals: 2, timeout: 30m, run_within: 1m, reason: required, remember: 2h }
  - { name: Trial, mode: monitor, if: { tool: save_it }, action: require approval, approval: { reviewers: [ann] } }
  - { name: Tell, if: { tool: save_it }, action: alert }
`);
    expect(judge(policies, { call: 'shop/save_it' }).requirements).toEqual([
      {
        policy: 'Plain',
        reviewers: ['bob'],
        approvals: 1,
        timeoutMs: 600_000,
        runWithinMs: 300_000,
        reasonRequired: false,
        remember: null,
      },
      {
        policy: 'Whole',
        reviewers: ['leads'],
        approvals: 2,
        timeoutMs: 1_800_000,
        runWithinMs: 60_000,
        reasonRequired: true,
        remember: { kind: 'for', ms: 7_200_000 },
      },
    ]);
  });

  test('asks the owner where nobody is named, also for a default; and nobody where nothing asks', () => {
    const policies = compile('policies: [{ name: Ask, if: { tool: save_it }, action: require approval }]');
    expect(judge(policies, { call: 'shop/save_it' }).requirements[0]!.reviewers).toEqual(['owner']);
    expect(judge(policies, { call: 'shop/frobnicate' }).requirements).toEqual([
      {
        policy: '(default: unclassified tool)',
        reviewers: ['owner'],
        approvals: 1,
        timeoutMs: 600_000,
        runWithinMs: 300_000,
        reasonRequired: false,
        remember: null,
      },
    ]);
    expect(judge(policies, { call: 'shop/get_it' }).requirements).toEqual([]);
  });

  test('offers to remember a Delete only where the policy names Delete', () => {
    const offered = (condition: string, call: string) =>
      judge(
        compile(
          `policies: [{ name: Ask, if: { ${condition} }, action: require approval, approval: { remember: session } }]`,
        ),
        { call },
      ).requirements.find(({ policy }) => policy === 'Ask')?.remember;
    expect(offered('server: shop', 'shop/save_it')).toEqual({ kind: 'session' });
    expect(offered('server: shop', 'shop/delete_it')).toBeNull();
    expect(offered('server: shop', 'shop/frobnicate')).toBeNull();
    expect(offered('operation: [Write, Delete]', 'shop/delete_it')).toEqual({ kind: 'session' });
    expect(offered('operation: [Write]', 'shop/frobnicate')).toBeNull();
  });

  test('carries the alerts of all that applies, and what they take out, whichever wins', () => {
    const policies = compile(`channels: { desktop: true, slack: { webhook: x } }
policies:
  - { name: No, if: { tool: save_it }, action: block, alert: {}, redact: { result: [emails], args: [a] } }
  - { name: Tell, if: { tool: save_it }, action: alert, alert: { severity: high, channel: slack }, redact: { result: [emails, phone] } }
  - { name: Quiet, if: { tool: save_it }, action: allow, redact: { args: [a, b] } }
  - { name: Trial, mode: monitor, if: { tool: save_it }, action: alert, alert: { severity: low }, redact: { result: [secrets] } }
  - { name: Other, if: { tool: get_it }, action: alert }
`);
    const decision = judge(policies, { call: 'shop/save_it' });
    expect(decision.alerts).toEqual([
      { policy: 'No', severity: 'medium', channels: null },
      { policy: 'Tell', severity: 'high', channels: ['slack'] },
    ]);
    expect(decision.redact).toEqual({ result: ['emails', 'phone'], args: ['a', 'b'] });
    expect(decision.reasons.map(({ policy, action, mode }) => [policy, action, mode])).toEqual([
      ['No', 'block', 'enforce'],
      ['Tell', 'alert', 'enforce'],
      ['Quiet', 'allow', 'enforce'],
      ['Trial', 'alert', 'monitor'],
    ]);
    expect(judge(policies, { call: 'shop/list_it' }).redact).toEqual({ result: [], args: [] });
  });

  test('says what decided, where it stands, how sure it was, and what the agent is told', () => {
    const policies = compile(
      'policies:\n  - { name: No, if: { operation: Delete }, action: block, message: Ask Ann. }\n  - { name: Later, if: { operation: Delete }, action: block }\n',
    );
    expect(judge(policies, { call: 'shop/delete_it' })).toMatchObject({
      effect: 'block',
      would: null,
      deciding: {
        policy: 'No',
        action: 'block',
        mode: 'enforce',
        place: 'policies.yaml:2',
        answer: 'yes',
        message: 'Ask Ann.',
      },
    });
    expect(judge(policies, { call: 'shop/frobnicate' }).deciding).toMatchObject({ policy: 'No', answer: 'cant tell' });
    expect(judge(policies, { call: 'shop/get_it' })).toMatchObject({
      effect: 'allow',
      deciding: {
        policy: '(default: action)',
        action: 'allow',
        mode: 'enforce',
        place: null,
        answer: 'yes',
        message: null,
      },
      reasons: [{ policy: '(default: action)' }],
      alerts: [],
    });
  });

  test('an allow policy that can’t allow for sure still tells and takes out, and allows nothing', () => {
    const policies = compile(
      'defaults: { action: block }\npolicies: [{ name: Mine, if: { agent: Cursor }, action: allow, alert: { severity: low }, redact: { result: [emails] } }]',
    );
    const claimed = judge(policies, { call: 'shop/get_it', agent: 'Cursor', identity: 'claimed' });
    expect(claimed).toMatchObject({
      effect: 'block',
      redact: { result: ['emails'] },
      alerts: [{ policy: 'Mine', severity: 'low' }],
    });
    expect(claimed.reasons[0]).toMatchObject({ policy: 'Mine', action: 'alert', answer: 'cant tell' });
    const other = judge(policies, { call: 'shop/get_it', agent: 'Zed', identity: 'claimed' });
    expect(other).toMatchObject({ effect: 'block', redact: { result: [] }, alerts: [] });
    expect(judge(policies, { call: 'shop/get_it', agent: 'Cursor' })).toMatchObject({
      effect: 'allow',
      redact: { result: ['emails'] },
    });
  });

  test('tells of an alert without more as of medium severity, on every channel', () => {
    const policies = compile('policies: [{ name: Tell, if: { tool: save_it }, action: alert }]');
    expect(judge(policies, { call: 'shop/save_it' }).alerts).toEqual([
      { policy: 'Tell', severity: 'medium', channels: null },
    ]);
  });

  test('of an allow policy that arguments rule out, nothing is told and nothing taken out', () => {
    const policies = compile(
      'policies: [{ name: Mine, if: { args: { a: 1 } }, action: allow, alert: {}, redact: { args: [b] } }]',
    );
    expect(judge(policies, { call: 'shop/get_it', args: { a: 1 } }).alerts).toHaveLength(1);
    const other = judge(policies, { call: 'shop/get_it', args: { a: 2 } });
    expect(other).toMatchObject({ alerts: [], redact: { result: [], args: [] } });
    expect(other.reasons.map(({ policy }) => policy)).toEqual(['(default: action)']);
  });

  test('in a file that only watches, is an enforced allow, with what it would have been', () => {
    const policies = compile('defaults: { mode: monitor, action: block }\npolicies: []');
    expect(judge(policies, { call: 'shop/get_it' })).toMatchObject({
      effect: 'allow',
      would: 'block',
      deciding: { policy: '(default: action)', action: 'allow', mode: 'enforce' },
    });
  });

  test('offers to remember no Delete where the policy names nothing at all', () => {
    const policies = compile('policies: [{ name: Ask, action: require approval, approval: { remember: session } }]');
    const offered = (call: string) => judge(policies, { call }).requirements[0]?.remember;
    expect(offered('shop/save_it')).toEqual({ kind: 'session' });
    expect(offered('shop/delete_it')).toBeNull();
  });

  test('of a discovery names the policies that apply to that agent', () => {
    const policies = compile(
      'policies:\n  - { name: New, when: an agent is discovered, action: alert }\n  - { name: Cursor, when: an agent is discovered, if: { agent: Cursor }, action: alert }\n  - { name: Call, action: alert }\n',
    );
    const reasonsFor = (discovered: string) =>
      decideDiscovery(policies, { agent: agentOf({ discovered }), gathered: gatheredOf({}) }).reasons;
    expect(reasonsFor('Zed')).toMatchObject([{ policy: 'New', action: 'alert', answer: 'yes' }]);
    expect(reasonsFor('Cursor').map(({ policy }) => policy)).toEqual(['New', 'Cursor']);
  });
});

// The console's pages. Everything that comes from agents, tools and people is put in as text, never as markup.
import { UNSEEN } from '/unseen.js';

const TOKEN_KEY = 'toolgate token';
const ARM_MS = 1000;
/** as many calls as the desk gives at once */
const PAGE = 100;
const page = document.querySelector('#page');

/** @type {string | null} */
let token = sessionStorage.getItem(TOKEN_KEY);
/** the desk has proved that it knows the token, and the live stream stands */
let connected = false;
/** server's clock minus ours, in milliseconds */
let offset = 0;
/** when a button may be pressed again: a page that just changed under the pointer must not be clicked by accident */
let armedAt = Number.POSITIVE_INFINITY;
let standing = { open: 0, approvals: '', seq: 0 };
/** what a page does when something has changed; set by the page that is shown */
let onChange = () => {};
/** the person has done something on this page: it was not put under their pointer by another */
let touched = false;
/** signed in by its own link, not by another tab */
let signedInHere = false;
/** counts the pages shown: an answer that comes for an earlier one is dropped */
let shownPages = 0;
/** what moves each second; each says whether it still stands on the page */
const ticking = new Set();

// ---------- building ----------

/** An element with attributes, listeners (`on…`) and children; text is text. */
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) element.append(child);
  return element;
}

/** Text with each character that can't be seen as a mark that can. */
function inert(text) {
  const parts = [];
  let start = 0;
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0);
    if (UNSEEN.some(([first, last]) => code >= first && code <= last)) {
      if (at > start) parts.push(text.slice(start, at));
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
      parts.push(el('span', { class: 'unseen', title: 'a character that is not visible by itself' }, name));
      start = at + character.length;
    }
    at += character.length;
  }
  if (start < text.length) parts.push(text.slice(start));
  return parts;
}

const badge = (text, kind) => el('span', { class: `badge ${kind ?? ''}` }, text);
const operationBadge = (operation) => badge(operation ?? 'Unknown', `op-${(operation ?? 'unknown').toLowerCase()}`);

function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

function day(ms) {
  const date = new Date(ms);
  const today = new Date().toDateString() === date.toDateString();
  return today ? clock(ms) : `${date.toLocaleDateString([], { day: 'numeric', month: 'short' })} ${clock(ms)}`;
}

function duration(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

const now = () => Date.now() + offset;

/** A text that counts down, and says when it is over. */
function countdown(until, prefix) {
  const span = el('span', { class: 'countdown' });
  const tick = () => {
    const left = until - now();
    span.textContent = left > 0 ? `${prefix} ${duration(left)}` : 'time is over';
    span.classList.toggle('urgent', left < 60_000);
    return span.isConnected;
  };
  tick();
  ticking.add(tick);
  return span;
}

function age(since, suffix = ' ago') {
  const span = el('span', {});
  const tick = () => {
    span.textContent = `${duration(now() - since)}${suffix}`;
    return span.isConnected;
  };
  tick();
  ticking.add(tick);
  return span;
}

setInterval(() => {
  for (const tick of ticking) if (!tick()) ticking.delete(tick);
}, 1000);

function show(...children) {
  page.replaceChildren(...children.flat());
}

/** After the layout has moved no decision can be pressed for a second. */
function disarm() {
  armedAt = performance.now() + ARM_MS;
  arm();
  setTimeout(arm, ARM_MS + 20);
}

function arm() {
  const ready =
    connected && performance.now() >= armedAt && document.visibilityState === 'visible' && document.hasFocus();
  for (const button of document.querySelectorAll('button[data-decides]')) {
    const unread = button.dataset.decides === 'approve' && document.querySelector('.arguments.cut') !== null;
    button.disabled = !ready || unread || button.dataset.busy === '1';
  }
}

for (const event of ['focus', 'visibilitychange', 'resize']) {
  (event === 'visibilitychange' ? document : window).addEventListener(event, disarm);
}
window.addEventListener('blur', arm);

// Whoever is clicking or typing already has not read what stands here now: a full second without either is needed.
for (const event of ['pointerdown', 'keydown'])
  window.addEventListener(
    event,
    () => {
      if (performance.now() < armedAt) disarm();
      else touched = true;
    },
    { capture: true },
  );

// ---------- talking to the desk ----------

async function ask(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: { 'x-toolgate-token': token ?? '', ...(options.body && { 'content-type': 'application/json' }) },
    cache: 'no-store',
  });
  const body = await response.json().catch(() => ({}));
  if (response.status === 401) signOut();
  if (typeof body.now === 'number') offset = body.now - Date.now();
  return { status: response.status, body };
}

const post = (path, body) => ask(path, { method: 'POST', body: JSON.stringify(body) });

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new TextEncoder().encode(text);

/** Whoever took over the port of a desk that has ended can't prove that it knows the token, and doesn't get it. */
async function deskKnows(candidate) {
  const id = hex(await crypto.subtle.digest('SHA-256', bytes(`toolgate token ${candidate}`))).slice(0, 32);
  const nonce = hex(crypto.getRandomValues(new Uint8Array(16)));
  const response = await fetch(`/api/hello?token=${id}&nonce=${nonce}`, { cache: 'no-store' });
  const { proof } = await response.json();
  const key = await crypto.subtle.importKey('raw', bytes(candidate), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ]);
  return proof === hex(await crypto.subtle.sign('HMAC', key, bytes(`toolgate ${nonce}`)));
}

function setLink(state, text) {
  const link = document.querySelector('#link');
  link.dataset.state = state;
  document.querySelector('#link-text').textContent = text;
}

function signOut() {
  token = null;
  connected = false;
  sessionStorage.removeItem(TOKEN_KEY);
  setLink('off', 'Not signed in');
  arm();
  signInPage();
}

/** The live stream, read with `fetch`: an EventSource could send no header. */
async function live() {
  while (token !== null) {
    try {
      if (!(await deskKnows(token))) {
        signOut();
        return;
      }
      const response = await fetch('/api/live', { headers: { 'x-toolgate-token': token }, cache: 'no-store' });
      if (response.status === 401) return signOut();
      connected = true;
      setLink('on', 'Live');
      disarm();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        text += value;
        const messages = text.split('\n\n');
        text = messages.pop();
        for (const message of messages) {
          const data = message.split('\n').find((line) => line.startsWith('data:'));
          if (data !== undefined) standingIs(JSON.parse(data.slice(5)));
        }
      }
    } catch {
      // The desk has ended, or is not there yet.
    }
    connected = false;
    arm();
    setLink('off', 'Disconnected');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function standingIs(next) {
  offset = next.now - Date.now();
  const before = standing;
  standing = next;
  const count = document.querySelector('#open-count');
  count.hidden = next.open === 0;
  count.textContent = String(next.open);
  document.title = next.open === 0 ? 'toolgate' : `(${next.open}) toolgate`;
  onChange({ approvals: before.approvals !== next.approvals, activity: before.seq !== next.seq });
}

// A page that was opened by a plain link asks the tabs that are signed in to this desk.
const tabs = new BroadcastChannel('toolgate');
tabs.onmessage = ({ data }) => {
  if (data?.want && connected && token !== null) tabs.postMessage({ token });
  if (typeof data?.token === 'string' && token === null) void takeToken(data.token);
};

async function takeToken(candidate) {
  if (!(await deskKnows(candidate).catch(() => false))) return;
  token = candidate;
  sessionStorage.setItem(TOKEN_KEY, candidate);
  void live();
  route();
}

async function signInByLink() {
  const secret = new URLSearchParams(location.hash.slice(1)).get('login');
  if (secret === null) return;
  history.replaceState(null, '', location.pathname + location.search);
  const response = await fetch('/api/login', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret }),
  });
  const body = await response.json();
  if (response.ok) {
    token = body.token;
    signedInHere = true;
    sessionStorage.setItem(TOKEN_KEY, token);
  }
}

// ---------- pages ----------

function signInPage() {
  onChange = () => {};
  const command = 'toolgate console';
  show(
    el(
      'section',
      { class: 'sign-in card' },
      el('h1', {}, 'Sign in from your terminal'),
      el('p', {}, 'This page decides what your agents may do, so it opens only for you. Run:'),
      el('pre', { class: 'command' }, command),
      el(
        'p',
        { class: 'quiet' },
        'It opens this console, signed in. A tab that is already signed in signs this one in too; after a restart of the desk none is.',
      ),
    ),
  );
  tabs.postMessage({ want: true });
}

let selected = null;
/** why the last answer to a request did not count */
const faults = new Map();

function stateBadge({ state, words }) {
  const kinds = { open: 'waiting', approved: 'good', used: 'good', denied: 'bad', expired: 'dull', lapsed: 'dull' };
  return badge(words, kinds[state]);
}

function approvalRow(approval) {
  return el(
    'a',
    { class: 'row', href: `/approvals/${approval.id}`, 'data-id': approval.id, 'data-key': rowKey(approval) },
    el(
      'span',
      { class: 'row-head' },
      el('strong', {}, inert(`${approval.integration} · ${approval.tool}`)),
      operationBadge(approval.operation),
    ),
    el('span', { class: 'row-args mono' }, inert(approval.preview)),
    el(
      'span',
      { class: 'row-foot' },
      el('span', {}, inert(approval.agent)),
      el('span', { class: 'mono quiet' }, approval.code),
      approval.state === 'open' ? countdown(approval.decideBy, '') : stateBadge(approval),
      approval.state === 'open' && !approval.waiting ? badge('nobody is waiting', 'dull') : null,
      approval.endedAt === null ? null : el('time', { class: 'quiet' }, day(approval.endedAt)),
    ),
  );
}

/** A change of the rules, which comes into force only when somebody accepts it. */
function proposedChange({ hash, changes }) {
  const fault = el('p', { class: 'fault', role: 'alert', hidden: true }, '');
  return el(
    'section',
    { class: 'card proposed', 'aria-label': 'A change of the rules' },
    el('h2', {}, 'A change of the rules waits to be accepted'),
    el('p', { class: 'quiet' }, 'Until then the rules before stay in force.'),
    el(
      'ul',
      {},
      changes.map((line) => el('li', {}, inert(line))),
    ),
    el(
      'button',
      {
        type: 'button',
        class: 'approve',
        'data-decides': 'accept',
        disabled: true,
        onclick: async (event) => {
          if (!event.isTrusted || performance.now() < armedAt) return;
          const { status, body } = await post('/api/rules/accept', { hash }).catch(() => ({ status: 0, body: {} }));
          fault.hidden = status === 200;
          fault.textContent = body.error ?? 'The desk could not be reached: nothing was accepted.';
        },
        onkeydown: (event) => {
          if (event.key === 'Enter') event.preventDefault();
        },
      },
      'Accept this change',
    ),
    fault,
  );
}

/** One remembered approval, which can be taken back. */
function grantRow(grant) {
  return el(
    'div',
    { class: 'row', 'data-id': grant.id },
    el('strong', {}, inert(grant.covers)),
    el('span', { class: 'quiet' }, inert(`${grant.policy}, by ${grant.grantedBy}`)),
    el(
      'span',
      { class: 'row-foot' },
      grant.until === null
        ? el('span', { class: 'quiet' }, 'no end by the clock')
        : countdown(grant.until, 'for another'),
      el(
        'button',
        { type: 'button', class: 'revoke', onclick: () => void post(`/api/grants/${grant.id}/revoke`, {}) },
        'Revoke',
      ),
    ),
  );
}

const rowKey = ({ state, waiting, votes }) => `${state} ${waiting} ${votes.length}`;

/** Rows stay where they are: new ones come at the end, and what has changed is replaced in its place. */
function patchRows(list, approvals) {
  let moved = false;
  const wanted = new Set(approvals.map(({ id }) => id));
  for (const row of [...list.children])
    if (!wanted.has(row.dataset.id)) {
      row.remove();
      moved = true;
    }
  approvals.forEach((approval, index) => {
    const at = list.children[index];
    if (at?.dataset.id === approval.id) {
      if (at.dataset.key !== rowKey(approval)) at.replaceWith(approvalRow(approval));
      return;
    }
    const existing = [...list.children].find((row) => row.dataset.id === approval.id);
    list.insertBefore(existing ?? approvalRow(approval), at ?? null);
    moved = true;
  });
  markSelected();
  return moved;
}

async function approvalsPage(id) {
  const open = el('div', { class: 'rows', id: 'open-rows' });
  const ended = el('div', { class: 'rows', id: 'ended-rows' });
  const grants = el('div', { class: 'rows', id: 'grant-rows' });
  const change = el('div', { id: 'proposed' });
  let shownChange = '';
  const empty = el(
    'div',
    { class: 'empty' },
    el('p', {}, 'Nothing waits for you.'),
    el(
      'p',
      { class: 'quiet' },
      'When an agent makes a call that a policy says to ask about, it appears here at once, and waits.',
    ),
  );
  const detail = el('section', { class: 'detail', id: 'detail', 'aria-live': 'polite' });
  show(
    el(
      'div',
      { class: `split ${id ? 'has-detail' : ''}` },
      el(
        'section',
        { class: 'list' },
        el('h1', {}, 'Approvals'),
        change,
        empty,
        open,
        el('h2', { id: 'grants-head', hidden: true }, 'Remembered'),
        grants,
        el('h2', { id: 'ended-head' }, 'Ended'),
        ended,
      ),
      detail,
    ),
  );
  selected = id;
  const number = shownPages;
  const isGone = () => number !== shownPages;
  let shown = null;
  let shownKey = '';

  const refresh = async () => {
    const { status, body } = await ask('/api/approvals');
    if (status !== 200 || isGone()) return;
    // A page that was opened by who knows whom shows what to decide only once somebody has touched it.
    if (selected === null && window.innerWidth >= 900 && (touched || signedInHere)) selected = body.open[0]?.id ?? null;
    const moved = [patchRows(open, body.open), patchRows(ended, body.ended)].includes(true);
    empty.hidden = body.open.length > 0;
    document.querySelector('#ended-head').hidden = body.ended.length === 0;
    document.querySelector('#grants-head').hidden = body.grants.length === 0;
    grants.replaceChildren(...body.grants.map(grantRow));
    if (shownChange !== (body.proposed?.hash ?? '')) {
      shownChange = body.proposed?.hash ?? '';
      change.replaceChildren(...(body.proposed === null ? [] : [proposedChange(body.proposed)]));
      disarm();
    }
    if (moved) disarm();
    await refreshDetail();
  };

  const refreshDetail = async () => {
    if (selected === null) {
      detail.replaceChildren(
        el('div', { class: 'empty' }, el('p', { class: 'quiet' }, 'Choose a request to see all of it.')),
      );
      return;
    }
    const { status, body } = await ask(`/api/approvals/${encodeURIComponent(selected)}`);
    if (isGone()) return;
    if (status !== 200) {
      detail.replaceChildren(el('div', { class: 'empty' }, el('p', {}, body.error ?? 'It could not be loaded.')));
      return;
    }
    selected = body.approval.id;
    const key = JSON.stringify(body.approval);
    if (key === shownKey) return;
    const reason = shown === body.approval.id ? detail.querySelector('textarea')?.value : undefined;
    const first = shown !== body.approval.id;
    shown = body.approval.id;
    shownKey = key;
    detail.replaceChildren(...approvalDetail(body.approval, reason));
    if (id !== null && first && document.activeElement === document.body) detail.querySelector('h1')?.focus();
    markCut();
    markSelected();
    disarm();
  };

  onChange = ({ approvals }) => {
    if (approvals) void refresh();
  };
  await refresh();
}

function markSelected() {
  for (const row of document.querySelectorAll('.rows .row')) {
    if (row.dataset.id === selected) row.setAttribute('aria-current', 'true');
    else row.removeAttribute('aria-current');
  }
}

/** A request that doesn't fit its box must be read to its end before it can be approved. */
function markCut() {
  const box = document.querySelector('#detail .arguments');
  const more = document.querySelector('#more');
  if (box === null || more === null) return;
  const look = () => {
    const cut = box.scrollHeight - box.clientHeight - box.scrollTop > 8 && !box.classList.contains('read');
    if (!cut) box.classList.add('read');
    box.classList.toggle('cut', cut);
    more.hidden = !cut;
    arm();
  };
  box.addEventListener('scroll', look);
  look();
}

function field(label, ...content) {
  return el('div', { class: 'field' }, el('dt', {}, label), el('dd', {}, ...content));
}

function conditionItem({ condition, answer, compared, parts }) {
  const marks = { yes: '✓', no: '✗', 'cant tell': '?' };
  return el(
    'li',
    { class: `condition ${answer.replace(' ', '-')}` },
    el('span', { class: 'mark', 'aria-label': answer === 'cant tell' ? "can't tell" : answer }, marks[answer]),
    el('span', {}, inert(condition)),
    compared ? el('span', { class: 'quiet' }, ' ', inert(`(${compared})`)) : null,
    parts?.length ? el('ul', {}, parts.map(conditionItem)) : null,
  );
}

function policyBlock(approval, requirement) {
  const told = approval.policyDetail.find(({ policy }) => policy === requirement.policy);
  return el(
    'div',
    { class: 'policy' },
    el(
      'p',
      { class: 'policy-name' },
      inert(requirement.policy),
      told?.place ? el('span', { class: 'quiet mono' }, ` ${told.place}`) : null,
    ),
    told?.conditions?.length ? el('ul', { class: 'conditions' }, told.conditions.map(conditionItem)) : null,
    el(
      'p',
      { class: 'reviewers' },
      el('span', { class: 'quiet' }, requirement.needed === 1 ? 'Needs one of: ' : `Needs ${requirement.needed} of: `),
      requirement.persons.map(({ name, approved }) =>
        badge(approved ? `✓ ${name}` : name, approved ? 'good' : 'person'),
      ),
      requirement.persons.length === 0
        ? el('span', { class: 'bad-text' }, 'nobody that policies.yaml still names')
        : null,
      requirement.reasonRequired ? el('span', { class: 'quiet' }, ' with a reason') : null,
    ),
  );
}

function approvalDetail(approval, reasonText = '') {
  const open = approval.state === 'open';
  const size =
    approval.bytes === null ? '' : `${approval.bytes.toLocaleString()} bytes as sent · sha256 ${approval.sha256}`;
  return [
    el('a', { class: 'back', href: '/approvals' }, '← All approvals'),
    el(
      'header',
      { class: 'detail-head' },
      el(
        'p',
        { class: 'kicker' },
        el('strong', {}, inert(approval.agent)),
        ' ',
        badge(approval.strength, approval.strength === 'claimed' ? 'dull' : 'good'),
        open ? ' wants to' : ' wanted to',
      ),
      el(
        'h1',
        { tabindex: -1 },
        inert(`${approval.integration} · ${approval.tool}`),
        ' ',
        operationBadge(approval.operation),
      ),
      el(
        'p',
        { class: 'facts' },
        stateBadge(approval),
        open ? countdown(approval.decideBy, 'decide within') : null,
        approval.state === 'approved' ? countdown(approval.runBy, 'may run within') : null,
        open || approval.state === 'approved'
          ? approval.waiting
            ? badge('the agent is waiting', 'good')
            : badge('nobody is waiting', 'dull')
          : null,
        el('span', { class: 'quiet' }, 'asked ', age(approval.createdAt)),
      ),
    ),
    open && !approval.waiting
      ? el(
          'p',
          { class: 'note' },
          'The agent has stopped waiting. If you approve, nothing runs by itself: the same call, made again, runs once.',
        )
      : null,
    el('h2', {}, 'The request'),
    approval.masked
      ? el('p', { class: 'quiet gap' }, 'The request was erased when it ended; in what was kept secrets are masked.')
      : null,
    el('pre', { class: 'arguments mono', tabindex: 0, 'aria-label': 'Arguments' }, inert(approval.arguments)),
    open ? el('p', { id: 'more', class: 'more', hidden: true }, '↓ There is more: scroll to its end to approve') : null,
    size ? el('p', { class: 'quiet small mono' }, size) : null,
    open ? decision(approval, reasonText) : outcome(approval),
    el('h2', {}, open ? 'Why you are asked' : 'Why a person was asked'),
    approval.progress.map((requirement) => policyBlock(approval, requirement)),
    el(
      'dl',
      { class: 'fields' },
      field(
        'Called',
        el(
          'span',
          { class: 'mono' },
          inert(`${approval.calledName}${approval.server ? ` on ${approval.server}` : ''}`),
        ),
      ),
      field('Asked at', clock(approval.createdAt)),
      field('Code', el('span', { class: 'mono' }, approval.code)),
      field('Digest', el('span', { class: 'mono' }, approval.digest)),
    ),
  ]
    .filter((each) => each !== null)
    .flat();
}

function outcome(approval) {
  const votes = approval.votes.map(({ by, verdict, channel, reason, at }) =>
    el(
      'li',
      {},
      badge(verdict === 'approve' ? 'approved' : 'denied', verdict === 'approve' ? 'good' : 'bad'),
      ' by ',
      el('strong', {}, inert(by)),
      ` · ${channel} · ${day(at)}`,
      reason ? el('span', { class: 'quiet' }, ' — ', inert(reason)) : null,
    ),
  );
  return el(
    'div',
    { class: 'outcome' },
    votes.length > 0 ? el('ul', { class: 'votes' }, votes) : null,
    approval.endedWhy && !/^denied by/.test(approval.endedWhy) ? el('p', {}, inert(approval.endedWhy)) : null,
    approval.state === 'used'
      ? el('p', {}, el('a', { href: `/activity?call=${approval.callId}` }, 'See the call in Activity'))
      : null,
  );
}

function decision(approval, reasonText) {
  const fault = el(
    'p',
    { class: 'fault', role: 'alert', hidden: !faults.has(approval.id) },
    faults.get(approval.id) ?? '',
  );
  const reason = el('textarea', {
    id: 'reason',
    rows: 2,
    maxlength: 2000,
    placeholder: approval.reasonRequired ? 'Why? (required to approve)' : 'Reason (optional)',
    'aria-label': 'Reason',
  });
  reason.value = reasonText;
  const remember = el('input', { type: 'checkbox', id: 'remember', onchange: () => nameApprove() });
  const rememberRow =
    approval.remember === null
      ? null
      : el('label', { class: 'remember', for: 'remember' }, remember, inert(`Remember ${approval.remember}`));
  if (!approval.mayAnswer) {
    const given = approval.votes.length > 0;
    return el(
      'div',
      { class: 'decide' },
      given ? outcome(approval) : null,
      el(
        'p',
        { class: 'note' },
        given ? 'Your answer is given; others are still asked.' : 'You are not among the reviewers of this request.',
      ),
    );
  }
  const decide = async (verdict, event) => {
    // A script's click, and a click that fell on a page that had just moved, decide nothing.
    if (!event.isTrusted || performance.now() < armedAt) return;
    if (verdict === 'approve' && approval.reasonRequired && reason.value.trim() === '') {
      fault.textContent = 'This policy wants a reason.';
      fault.hidden = false;
      reason.focus();
      return;
    }
    for (const button of buttons) button.dataset.busy = '1';
    arm();
    const { status, body } = await post(`/api/approvals/${approval.id}/${verdict}`, {
      reason: reason.value,
      remember: verdict === 'approve' && remember.checked,
    }).catch(() => ({ status: 0, body: {} }));
    for (const button of buttons) button.dataset.busy = '';
    arm();
    if (status === 200) return;
    faults.set(approval.id, body.error ?? 'The desk could not be reached: nothing was decided.');
    fault.textContent = faults.get(approval.id);
    fault.hidden = false;
  };
  const buttons = [
    el(
      'button',
      {
        type: 'button',
        class: 'approve',
        'data-decides': 'approve',
        disabled: true,
        onclick: (event) => decide('approve', event),
        // Enter is what one types; a decision takes a click, or the space bar.
        onkeydown: noEnter,
      },
      'Approve once',
    ),
    el(
      'button',
      {
        type: 'button',
        class: 'deny',
        'data-decides': 'deny',
        disabled: true,
        onclick: (event) => decide('deny', event),
        onkeydown: noEnter,
      },
      'Deny',
    ),
  ];
  const nameApprove = () => {
    buttons[0].textContent = remember.checked ? 'Approve and remember' : 'Approve once';
  };
  return el(
    'div',
    { class: 'decide' },
    approval.votes.length > 0 ? outcome(approval) : null,
    reason,
    rememberRow,
    el('div', { class: 'buttons' }, buttons),
    fault,
  );
}

function noEnter(event) {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  const fault = event.currentTarget.closest('.decide').querySelector('.fault');
  fault.textContent = 'Enter decides nothing: press the space bar, or click.';
  fault.hidden = false;
}

// ---------- activity ----------

const FILTERS = [
  ['agent', 'Agent', null],
  ['integration', 'Integration', null],
  ['operation', 'Operation', ['Read', 'Write', 'Delete']],
  ['decision', 'Decision', ['allow', 'block', 'require approval']],
  ['via', 'Via', ['mcp', 'cli']],
  ['text', 'Any text', null],
];

const EVENT_WORDS = {
  'call.decided': 'judged',
  'call.completed': 'ended',
  'approval.requested': 'a person was asked',
  'approval.voted': 'approved, others are still asked',
  'approval.approved': 'approved',
  'approval.denied': 'denied',
  'approval.expired': 'nobody decided in time',
  'approval.used': 'let through',
  'approval.lapsed': 'the approval was not used in time',
  'approval.remembered': 'remembered for more calls',
  'approval.revoked': 'no longer remembered',
};

function decisionBadge(call) {
  const kinds = { allow: 'good', block: 'bad', 'require approval': 'waiting' };
  return badge(call.decision === 'require approval' ? 'approval' : (call.decision ?? '?'), kinds[call.decision]);
}

function outcomeText(call) {
  if (call.refused) return 'denied';
  if (call.status === 'not_run') return call.error ?? 'not run';
  if (call.status === null)
    return call.decision === 'allow' ? 'running' : call.decision === 'require approval' ? 'waiting' : '';
  const took =
    call.durationMs === null
      ? ''
      : ` · ${call.durationMs < 10 ? call.durationMs.toFixed(1) : Math.round(call.durationMs)} ms`;
  return `${call.status === 'ok' ? 'ok' : call.status.replace('_', ' ')}${took}`;
}

function callRow(call) {
  return el(
    'li',
    { class: 'call', 'data-id': call.callId, 'data-key': `${call.status} ${call.error}` },
    el(
      'button',
      {
        type: 'button',
        class: 'call-line',
        'aria-expanded': 'false',
        onclick: (event) => toggleWhy(event.currentTarget, call.callId),
      },
      el('time', { class: 'mono quiet', datetime: new Date(call.at).toISOString() }, day(call.at)),
      el('span', { class: 'c-agent' }, inert(call.agent ?? '')),
      el(
        'span',
        { class: 'c-what' },
        el('strong', {}, inert(`${call.integration ?? ''} · ${call.tool ?? ''}`)),
        ' ',
        operationBadge(call.operation),
        call.via === 'cli' ? badge('command', 'dull') : null,
      ),
      el(
        'span',
        { class: 'c-decision' },
        decisionBadge(call),
        call.alerts.length > 0 ? badge('alert', 'waiting') : null,
      ),
      el('span', { class: 'c-policy quiet' }, inert(call.policy ?? '')),
      el('span', { class: 'c-outcome quiet' }, outcomeText(call)),
    ),
  );
}

async function toggleWhy(line, callId) {
  const row = line.parentElement;
  const open = row.querySelector('.why');
  line.setAttribute('aria-expanded', String(open === null));
  if (open !== null) return open.remove();
  const { status, body } = await ask(`/api/activity/${encodeURIComponent(callId)}`);
  if (status !== 200) return;
  const { call } = body;
  row.append(
    el(
      'div',
      { class: 'why' },
      el('h3', {}, 'Why'),
      el(
        'ul',
        { class: 'conditions' },
        call.reasons.map(({ policy, action, mode, place, answer }) =>
          el(
            'li',
            { class: `condition ${answer === 'yes' ? 'yes' : 'cant-tell'}` },
            el('span', { class: 'mark' }, answer === 'yes' ? '✓' : '?'),
            el('span', {}, inert(policy)),
            el(
              'span',
              { class: 'quiet' },
              ` ${action}${mode === 'monitor' ? ', monitor' : ''}${place ? ` · ${place}` : ''}${answer === 'yes' ? '' : " · can't tell, so strictly"}`,
            ),
          ),
        ),
      ),
      call.refused ? el('p', { class: 'note' }, inert(call.refused)) : null,
      el('pre', { class: 'arguments mono', tabindex: 0 }, inert(call.arguments)),
      el(
        'ol',
        { class: 'timeline' },
        call.events.map(({ type, at, by, channel, reason }) =>
          el(
            'li',
            {},
            el('span', { class: 'mono quiet' }, clock(at)),
            ` ${EVENT_WORDS[type] ?? type}`,
            by ? el('span', {}, ' by ', inert(by)) : null,
            channel ? ` (${channel})` : null,
            reason ? el('span', { class: 'quiet' }, ' — ', inert(String(reason))) : null,
          ),
        ),
      ),
      el(
        'p',
        { class: 'quiet small mono' },
        inert(
          `${call.calledName} on ${call.server ?? 'the shell'} · call ${call.callId} · rules ${call.rules} · identity ${call.strength}`,
        ),
      ),
    ),
  );
}

async function activityPage(search) {
  const query = new URLSearchParams(search);
  const list = el('ul', { class: 'calls' });
  const more = el('button', { type: 'button', class: 'plain', hidden: true, onclick: () => load(true) }, 'Show older');
  const empty = el('div', { class: 'empty', hidden: true });
  const inputs = FILTERS.map(([name, label, choices]) => {
    const input = choices
      ? el(
          'select',
          { name, 'aria-label': label },
          el('option', { value: '' }, label),
          choices.map((each) => el('option', { value: each, selected: query.get(name) === each }, each)),
        )
      : el('input', { name, type: 'search', placeholder: label, 'aria-label': label, value: query.get(name) ?? '' });
    input.addEventListener('change', () => {
      if (input.value === '') query.delete(name);
      else query.set(name, input.value);
      const text = query.toString();
      history.replaceState(null, '', `/activity${text === '' ? '' : `?${text}`}`);
      void load(false);
    });
    return input;
  });
  show(
    el(
      'section',
      { class: 'activity' },
      el('h1', {}, 'Activity'),
      el('form', { class: 'filters', onsubmit: (event) => event.preventDefault() }, inputs),
      empty,
      list,
      more,
    ),
  );
  let oldest = null;

  const load = async (older) => {
    const asked = new URLSearchParams(query);
    asked.delete('call');
    if (older && oldest !== null) asked.set('before', String(oldest));
    const { status, body } = await ask(`/api/activity?${asked}`);
    if (status !== 200) return;
    if (older) list.append(...body.calls.map(callRow));
    else patchCalls(list, body.calls);
    const last = body.calls.at(-1);
    if (last !== undefined && (older || oldest === null || list.children.length <= body.calls.length))
      oldest = last.seq;
    if (older || list.children.length <= body.calls.length) more.hidden = !body.more;
    const filtered = [...asked.keys()].some((key) => key !== 'before');
    empty.hidden = list.children.length > 0;
    empty.replaceChildren(
      el('p', {}, filtered ? 'No call fits these filters.' : 'No call has been made yet.'),
      el(
        'p',
        { class: 'quiet' },
        filtered
          ? 'Take one out to see more.'
          : "Register toolgate in your agent's client; every call it makes appears here.",
      ),
    );
  };
  onChange = ({ activity }) => {
    if (activity) void load(false);
  };
  await load(false);
  const wanted = query.get('call');
  if (wanted !== null) {
    let row = [...list.children].find(({ dataset }) => dataset.id === wanted);
    if (row === undefined) {
      const { status, body } = await ask(`/api/activity/${encodeURIComponent(wanted)}`);
      if (status === 200) {
        row = callRow(body.call);
        list.append(row);
        empty.hidden = true;
      }
    }
    row?.querySelector('.call-line').click();
    row?.scrollIntoView({ block: 'center' });
  }
}

/** Newest first: new ones come on top, those that have ended meanwhile are replaced in place, and what is open stays open. */
function patchCalls(list, calls) {
  const wanted = new Set(calls.map(({ callId }) => callId));
  const rows = new Map([...list.children].map((row) => [row.dataset.id, row]));
  // A first page that isn't full is all there is: what isn't on it no longer fits the filters.
  if (calls.length < PAGE) for (const [id, row] of rows) if (!wanted.has(id)) row.remove();
  let after = null;
  for (const call of calls) {
    let row = rows.get(call.callId);
    if (row === undefined) row = callRow(call);
    else if (row.dataset.key !== `${call.status} ${call.error}`) {
      const fresh = callRow(call);
      row.querySelector('.call-line').replaceWith(fresh.querySelector('.call-line'));
      row.dataset.key = fresh.dataset.key;
    }
    const place = after === null ? list.firstChild : after.nextSibling;
    if (place !== row) list.insertBefore(row, place);
    after = row;
  }
}

// ---------- routing ----------

function route() {
  shownPages++;
  ticking.clear();
  if (token === null) return signInPage();
  const [, name = 'approvals', id] = location.pathname.split('/');
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.page === (name || 'approvals')) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (name === 'activity') return activityPage(location.search);
  return approvalsPage(id ? decodeURIComponent(id) : null);
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[href^="/"]');
  if (link === null || link === undefined || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0)
    return;
  event.preventDefault();
  history.pushState(null, '', link.getAttribute('href'));
  route();
});
window.addEventListener('popstate', route);
// A sign-in link that is pasted into this very tab changes only what stands behind the #.
window.addEventListener('hashchange', async () => {
  const had = token;
  await signInByLink().catch(() => {});
  if (token !== had) void live();
  route();
});

await signInByLink().catch(() => {});
if (token === null) setLink('off', 'Not signed in');
else void live();
route();

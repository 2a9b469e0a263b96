import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/call.ts';
import { infer, inferCall, tokensOf } from '../../src/catalog/infer.ts';

const choices = (argument: string, ...values: string[]): JsonObject => ({
  type: 'object',
  properties: { [argument]: { enum: values } },
});

/** A name, what else the tool says of itself, and what it may be: `-` is unknown. */
const TOOLS: readonly [string, string, object?][] = [
  ['get_issue', 'Read'],
  ['listIssues', 'Read'],
  ['search-files', 'Read'],
  ['Issues.Get', 'Read'],
  ['list_pull_requests', 'Read'],
  ['get_pull_request', 'Read'],
  ['list_tags', 'Read'],
  ['getHTTPStatus', 'Read'],
  ['create_issue', 'Write'],
  ['sendMessage', 'Write'],
  ['update-page', 'Write'],
  ['restore_backup', 'Write'],
  ['unarchive_page', 'Write'],
  ['merge_pull_request', 'Write'],
  ['get_or_create_user', 'Write'],
  ['delete_issue', 'Delete'],
  ['removeUser', 'Delete'],
  ['archive-project', 'Delete'],
  ['bulkdelete', 'Delete'],
  ['removeuser', 'Delete'],
  ['teardown_cluster', 'Delete'],
  ['void_invoice', 'Delete'],
  ['mark_as_deleted', 'Delete'],
  ['set_deleted', 'Delete'],
  ['force_push', 'Delete'],
  ['find_and_delete', 'Delete'],
  ['DROP_TABLE', 'Delete'],
  ['search_replace', 'Write'],
  ['find_replace_text', 'Write'],
  ['read_write_file', 'Write'],
  ['monitor_create', 'Write'],
  ['list_create', 'Write'],
  ['status_update', 'Write'],
  ['history_restore', 'Write'],
  ['complete_task', '-'],
  ['log_work', '-'],
  ['load_data_into_table', '-'],
  ['check_out_cart', '-'],
  ['get_rid_of_user', '-'],
  ['get_and_frobnicate', '-'],
  ['get_and_email_report', 'Write'],
  ['find_and_overwrite', 'Write'],
  ['overwrite_file', 'Write'],
  ['list_removal', '-'],
  ['list_deleted_items', '-'],
  ['frobnicate', '-'],
  ['x', '-'],
  ['execute_sql', '-'],
  ['run_query', '-'],
  ['eval', '-'],
  ['manage_things', '-'],
  ['list_deleted_items', 'Read', { annotations: { readOnlyHint: true } }],
  ['frobnicate', 'Read', { annotations: { readOnlyHint: true } }],
  ['delete_everything', 'Delete', { annotations: { readOnlyHint: true } }],
  ['update_it', 'Write', { annotations: { readOnlyHint: true } }],
  ['get_it', 'Write', { annotations: { readOnlyHint: false } }],
  ['get_it', 'Write', { annotations: { destructiveHint: true } }],
  ['save_it', 'Write', { annotations: { destructiveHint: true } }],
  ['execute_sql', '-', { annotations: { readOnlyHint: true } }],
  ['execute_sql', '-', { inputSchema: choices('result_type', 'list', 'get') }],
  ['things', 'Read Delete', { inputSchema: choices('action', 'list', 'delete') }],
  ['things', 'Read Delete', { inputSchema: choices('action', 'list', 'delete'), annotations: { readOnlyHint: true } }],
  [
    'list_items',
    'Delete',
    { inputSchema: { properties: { action: { anyOf: [{ const: 'delete' }, { type: 'null' }] } } } },
  ],
  [
    'list_items',
    'Read Delete',
    { inputSchema: { properties: { action: { $ref: '#/$defs/A' } }, $defs: { A: { enum: ['list', 'delete'] } } } },
  ],
  ['things', '-', { inputSchema: choices('mode', 'get', 'set', 'frobnicate') }],
  ['manage_issue', 'Write Delete', { inputSchema: choices('action', 'create', 'delete') }],
];

describe('a tool that no catalog knows', () => {
  test.each(TOOLS)('%s is %s %j', (name, expected, more = {}) => {
    const { possible } = infer({ name, ...more });
    expect(
      possible.length === 0
        ? '-'
        : ['Read', 'Write', 'Delete'].filter((operation) => possible.includes(operation as 'Read')).join(' '),
    ).toBe(expected);
  });

  test('an argument that decides: the worst of all of them, unknown if any is', () => {
    const guess = infer({
      name: 'things',
      inputSchema: {
        properties: {
          type: { enum: ['list'] },
          action: { enum: ['list', 'delete', 'frobnicate'] },
          operation: { enum: ['get', 'update'] },
        },
      },
    });
    expect(inferCall(guess, { action: 'list', operation: 'get' })).toEqual(['Read']);
    expect(inferCall(guess, { action: 'list', operation: 'update' })).toEqual(['Write']);
    expect(inferCall(guess, { action: 'delete', operation: 'get' })).toEqual(['Delete']);
    expect(inferCall(guess, { action: 'frobnicate', operation: 'get' })).toEqual([]);
    expect(inferCall(guess, { action: 'nonsense', operation: 'get' })).toEqual([]);
    expect(inferCall(guess, { operation: 'get' })).toEqual([]);
    expect(inferCall(guess, {})).toEqual([]);
  });

  test('the name is the floor: no argument makes it milder', () => {
    const guess = infer({ name: 'update_things', inputSchema: choices('mode', 'get', 'delete') });
    expect(inferCall(guess, { mode: 'get' })).toEqual(['Write']);
    expect(inferCall(guess, { mode: 'delete' })).toEqual(['Delete']);
  });

  test('names are split in every style', () => {
    expect(tokensOf('getHTTPResponse-code_v2.Thing')).toEqual(['get', 'http', 'response', 'code', 'v', 'thing']);
  });
});

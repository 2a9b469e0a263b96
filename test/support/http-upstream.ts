/** Real MCP servers over Streamable HTTP on loopback, of both protocol eras, by the SDKs' own servers. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer as McpServerV2,
} from '@modelcontextprotocol/server';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

export interface HttpUpstream {
  readonly url: string;
  /** `method` of every JSON-RPC request that arrived, with the tool's name */
  readonly requests: string[];
  readonly authorization: Set<string>;
}

const shape = { text: z.string() };

function registerOn(server: { registerTool: (...args: any[]) => unknown }): void {
  server.registerTool(
    'get_echo',
    { description: 'Says it again', inputSchema: shape },
    async ({ text }: { text: string }) => ({ content: [{ type: 'text', text }] }),
  );
  server.registerTool('delete_it', { description: 'Deletes it', inputSchema: shape }, async () => ({
    content: [{ type: 'text', text: 'deleted' }],
  }));
  server.registerTool('get_error', { inputSchema: shape }, async () => ({
    content: [{ type: 'text', text: 'no' }],
    isError: true,
  }));
  server.registerTool('get_slowly', { inputSchema: shape }, async (_: unknown, context: any) => {
    const token = context.mcpReq?._meta?.progressToken ?? context._meta?.progressToken;
    const notify = context.mcpReq?.notify ?? context.sendNotification;
    for (let progress = 1; progress <= 2; progress++)
      if (token !== undefined)
        await notify({ method: 'notifications/progress', params: { progressToken: token, progress, total: 2 } });
    return { content: [{ type: 'text', text: 'done' }] };
  });
}

/** `asks`: it also has a tool that asks its user for something by its result. */
export async function httpUpstream(era: 'legacy' | 'modern', asks = false): Promise<HttpUpstream> {
  const requests: string[] = [];
  const authorization = new Set<string>();
  const answer = era === 'legacy' ? legacy() : modern(asks);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? undefined : JSON.parse(text);
    if (body?.id !== undefined) requests.push(`${body.method} ${body.params?.name ?? ''}`.trim());
    authorization.add(String(request.headers.authorization));
    await answer(request, response, body, text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, requests, authorization };
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: any, text: string) => Promise<void>;

function legacy(): Answer {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response, body) => {
    let transport = sessions.get(String(request.headers['mcp-session-id']));
    if (transport === undefined && body?.method === 'initialize') {
      const created = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        onsessioninitialized: (id) => void sessions.set(id, created),
      });
      transport = created;
      const server = new McpServerV1({ name: 'legacy', version: '1' });
      registerOn(server);
      await server.connect(created);
    }
    if (transport === undefined) response.writeHead(request.headers['mcp-session-id'] === undefined ? 400 : 404).end();
    else await transport.handleRequest(request, response, body);
  };
}

function modern(asks: boolean): Answer {
  const handler = createMcpHandler(
    () => {
      const server = new McpServerV2({ name: 'modern', version: '1' });
      registerOn(server);
      if (asks) registerAsking(server);
      return server;
    },
    { legacy: 'reject' },
  );
  return async (request, response, _, text) => {
    const headers = new Headers(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)] as [string, string]),
    );
    const init: RequestInit =
      request.method === 'POST'
        ? { method: 'POST', headers, body: text }
        : { method: request.method ?? 'GET', headers };
    const answered = await handler.fetch(new Request(`http://127.0.0.1${request.url}`, init));
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    if (answered.body === null) response.end();
    else Readable.fromWeb(answered.body as never).pipe(response);
  };
}

/** Asks before it deletes, as the protocol of 2026 has it: by a result, which the client answers with a new call. */
function registerAsking(server: McpServerV2): void {
  server.registerTool('delete_after_asking', { inputSchema: z.object({}) }, (async (_args: object, context: any) => {
    const answer = acceptedContent<{ name: string }>(context.mcpReq.inputResponses, 'name');
    if (answer === undefined)
      return inputRequired({
        inputRequests: {
          name: inputRequired.elicit({
            message: 'Which one?',
            requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
          }),
        },
      });
    return { content: [{ type: 'text', text: `deleted ${answer.name}` }] };
  }) as never);
}

/** A stand-in for Slack on loopback: takes webhooks as the official SDK sends them, and answers as it is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface FakeSlack {
  readonly url: string;
  readonly received: any[];
  /** what the next requests get: a status, `hang` for no answer at all, `garbage` for no HTTP */
  answer: number | 'hang' | 'garbage';
}

export async function fakeSlack(): Promise<FakeSlack> {
  const received: any[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += String(chunk);
    });
    request.on('end', () => {
      received.push(JSON.parse(body));
      if (slack.answer === 'hang') return;
      if (slack.answer === 'garbage') {
        request.socket.end('\u0000\u0001 no protocol at all\r\n\r\n');
        return;
      }
      response.writeHead(slack.answer, { 'content-type': 'text/html' });
      response.end(slack.answer === 200 ? 'ok' : 'error');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const slack: FakeSlack = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T000/B000/SECRETPART`,
    received,
    answer: 200,
  };
  return slack;
}

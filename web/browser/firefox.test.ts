// Firefox, driven by WebDriver BiDi, which it speaks itself (W3C WebDriver BiDi). Skipped where it is not installed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import WebSocket from 'ws';
import { serve } from './serve.ts';

const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const PATIENCE = 240_000; // milliseconds

interface Driven { command<T>(method: string, params: object): Promise<T>; close(): Promise<void> }

async function firefox(): Promise<Driven> {
  const profile = await mkdtemp(join(tmpdir(), 'firefox-'));
  const own = spawn(FIREFOX, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } });
  const ended = new Promise((resolve) => { own.once('exit', resolve); });
  const address = await new Promise<string>((resolve, reject) => {
    let said = '';
    own.stderr.on('data', (part) => { said += part; const [, found] = /WebDriver BiDi listening on (ws:\S+)/.exec(said) ?? []; if (found) resolve(found); });
    own.once('exit', () => reject(new Error(said)));
  });
  const socket = new WebSocket(`${address}/session`), waiting = new Map<number, (reply: { type: string; message?: string; result: unknown }) => void>();
  await new Promise((resolve, reject) => { socket.once('open', resolve).once('error', reject); });
  socket.on('message', (data) => { const reply = JSON.parse(String(data)); waiting.get(reply.id)?.(reply); });
  let count = 0;
  return {
    command<T>(method: string, params: object): Promise<T> {
      const id = ++count;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise((resolve, reject) => { waiting.set(id, ({ type, message, result }) => (type === 'error' ? reject(new Error(message)) : resolve(result as T))); });
    },
    async close() {
      socket.close();
      own.kill();
      await ended;
      await rm(profile, { recursive: true, force: true });
    },
  };
}

// Waits in the page until a condition holds, and returns its value.
const until = (condition: string): string => `new Promise((resolve) => { const look = () => { const found = ${condition}; found ? resolve(String(found)) : setTimeout(look, 100); }; look(); })`;

test('Firefox segments the example, and answers a click', { skip: existsSync(FIREFOX) ? false : `${FIREFOX} is not installed`, timeout: 2 * PATIENCE }, async () => {
  const host = await serve({ isolated: true }), own = await firefox();
  try {
    await own.command('session.new', { capabilities: {} });
    const { contexts: [{ context }] } = await own.command<{ contexts: { context: string }[] }>('browsingContext.getTree', {});
    const asked = async (expression: string): Promise<string> => {
      const { result } = await own.command<{ result: { value: string } }>('script.evaluate', { expression, target: { context }, awaitPromise: true, userActivation: true });
      return result.value;
    };
    await own.command('browsingContext.navigate', { context, url: host.address, wait: 'complete' });
    await asked("document.querySelector('[data-example=\"coffee.jpg\"]').click()");
    await asked(until("document.getElementById('facts').textContent.startsWith('coffee.jpg') && document.getElementById('working').hidden"));
    const [x, y] = (await asked("(({ left, top, width, height }) => [left + width / 2, top + 0.35 * height].map(Math.round).join())(document.getElementById('picked').getBoundingClientRect())")).split(',').map(Number);
    const move = { type: 'pointerMove', x, y, origin: 'viewport' }, press = [{ type: 'pointerDown', button: 0 }, { type: 'pointerUp', button: 0 }];
    await own.command('input.performActions', { context, actions: [{ type: 'pointer', id: 'mouse', actions: [move, ...press] }] });
    assert.match(await asked(until("document.getElementById('picked').getAttribute('aria-busy') === 'false' && document.getElementById('answer').textContent")), /^drawn/);
    assert.equal(await asked("document.getElementById('error').hidden"), true);
  } finally {
    await own.close();
    host.close();
  }
});

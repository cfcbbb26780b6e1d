// The interface against its own document: schemathesis makes requests from /api/openapi.json, right and wrong ones, and
// compares each answer with what the document promises. One minute; other requests every time.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import os from 'node:os';
import { after, before, test } from 'node:test';
import { SITE, startBox } from './box.mjs';

/** With this seed again: SCHEMATHESIS_SEED=… tests/web/run interface.spec.mjs */
const SEED = process.env.SCHEMATHESIS_SEED ?? String(Date.now() % 1_000_000_000);
const SECONDS = 60;
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
];

let box;
before(async () => (box = await startBox({ site: SITE })));
after(() => box?.stop());

test('no request makes the box fail, and every answer is as the document says', async () => {
  await box.admin();
  const { token } = (await box.ask('POST', '/tokens', { name: 'interface', role: 'admin' })).json;
  const command = ['run', `${box.url}/api/openapi.json`, '--tls-verify', 'false', '-H', `Authorization: Bearer ${token}`];
  command.push('--checks', CHECKS.join(','), '--phases', 'examples,coverage,fuzzing', '--max-time', String(SECONDS));
  command.push('--generation-with-security-parameters', 'false', '--warnings', 'off', '--seed', SEED, '--no-color');
  // The box plays a whole shift of a campaign for one of them; a busy machine takes its time.
  command.push('--request-timeout', '120');
  const child = spawn(process.env.SCHEMATHESIS, command, {
    cwd: os.tmpdir(),
    env: { ...process.env, SCHEMATHESIS_HOOKS: 'schema_hooks', PYTHONPATH: import.meta.dirname },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
  assert.equal(code, 0, `seed ${SEED}\n${said}`);
  assert.match(said, /Test cases:\n\s+\d{3,} generated/, 'it asked a great deal');
  assert.equal((await box.ask('GET', '/status')).status, 200, 'the box still answers');
});

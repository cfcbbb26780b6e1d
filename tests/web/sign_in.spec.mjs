// Who tries names learns nothing from the time of the answer: a password is weighed for a name that nobody has, too.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SITE, startBox, tryToSignIn } from './box.mjs';

/** Tries of each kind, one after the other; an address may be wrong ten times. */
const TRIES = 16;

let box;
before(async () => {
  box = await startBox({ site: SITE });
  await box.admin();
});
after(() => box?.stop());

const middle = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

test('an unknown name takes as long as a wrong password', async () => {
  const times = { admin: [], nobody: [] };
  for (let i = 0; i < TRIES; i++) {
    for (const [name, taken] of Object.entries(times)) {
      const { status, ms } = await tryToSignIn(box, name, `127.0.2.${10 + i}`);
      assert.equal(status, 401);
      taken.push(ms);
    }
  }
  const ratio = middle(times.nobody) / middle(times.admin);
  // Without the weighing it would be below a tenth; tries of both kinds take turns, so a busy machine slows both alike.
  assert.ok(ratio > 0.5 && ratio < 2, `unknown / known = ${ratio}`);
});

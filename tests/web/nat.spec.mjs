// The phone in the browser behind a router that rewrites addresses: the browser is in a network of its own (two namespaces of
// the kernel, as root), and only the router between knows both sides.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { SITE, startBox } from './box.mjs';
import { launch, login, visit } from './browser.mjs';
import { Phone } from './phone.mjs';
import { PLAYED, SPOKEN, hears, isReady, microphone, region, seatWithPhone, turnOn } from './webphone.mjs';

const [HOME, ROUTER] = [`home${process.pid}`, `nat${process.pid}`];
/** Of the box, seen from the router; of the router, seen from the box; of the home. */
const [OUTSIDE, PUBLIC, INSIDE, BROWSER] = ['10.213.77.1', '10.213.77.2', '192.168.213.1', '192.168.213.2'];

const ip = (line) => execFileSync('ip', line.split(' '), { stdio: 'pipe' });
const within = (space, line) => execFileSync('ip', ['netns', 'exec', space, ...line.split(' ')], { stdio: 'pipe' });

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'belfry-nat-'));
const flags = microphone();
let browser;
let box;
let desk;
before(async () => {
  for (const space of [HOME, ROUTER]) ip(`netns add ${space}`);
  const [out, outer, inn, inner] = ['a', 'b', 'c', 'd'].map((end) => `bt${end}${process.pid}`);
  ip(`link add ${out} type veth peer name ${outer} netns ${ROUTER}`);
  ip(`link add ${inn} netns ${ROUTER} type veth peer name ${inner} netns ${HOME}`);
  ip(`addr add ${OUTSIDE}/30 dev ${out}`);
  ip(`link set ${out} up`);
  for (const [address, end] of [[`${PUBLIC}/30`, outer], [`${INSIDE}/24`, inn]]) {
    ip(`-n ${ROUTER} addr add ${address} dev ${end}`);
    ip(`-n ${ROUTER} link set ${end} up`);
  }
  ip(`-n ${HOME} addr add ${BROWSER}/24 dev ${inner}`);
  for (const end of [inner, 'lo']) ip(`-n ${HOME} link set ${end} up`);
  ip(`-n ${HOME} route add default via ${INSIDE}`);
  execFileSync('ip', ['netns', 'exec', ROUTER, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  within(ROUTER, `iptables -t nat -A POSTROUTING -o ${outer} -j MASQUERADE --random`);

  const home = path.join(folder, 'chromium');
  fs.writeFileSync(home, `#!/bin/sh\nexec ip netns exec ${HOME} ${process.env.CHROMIUM} "$@"\n`, { mode: 0o755 });
  browser = await launch(flags, home);
  box = await startBox({ site: SITE, host: OUTSIDE });
  await box.admin();
  await box.admin('anna', 'user', { extension: '102' });
  desk = await new Phone(box, '101', 'test-only-101-secret').open();
  await desk.register();
});
after(async () => {
  desk?.close();
  await browser?.close();
  await box?.stop();
  for (const space of [HOME, ROUTER]) ip(`netns del ${space}`);
  fs.rmSync(folder, { recursive: true });
});

test('a browser at home calls a desk phone, and both hear each other', async (t) => {
  const seat = await visit(browser, box, { allow: ['microphone'] });
  const { page } = seat;
  await seatWithPhone(seat);
  await login(seat, 'anna');
  await turnOn(page);
  await isReady(page);
  await page.getByPlaceholder('Number to call').fill('101');
  const dialled = performance.now();
  await page.getByRole('button', { name: 'Call', exact: true }).click();
  await Promise.all([hears(page, PLAYED), desk.hears(SPOKEN)]);
  t.diagnostic(`both hear each other ${Math.round(performance.now() - dialled)} ms after the click`);
  const [, , rule] = String(within(ROUTER, 'iptables -t nat -vnxL POSTROUTING')).split('\n');
  assert.ok(Number(rule.trim().split(/\s+/)[0]) > 0, `the router rewrote addresses: ${rule}`);
  await region(page).getByRole('button', { name: 'Hang up' }).click();
  await desk.over;
  await isReady(page);
  await seat.close();
});

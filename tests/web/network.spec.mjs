// The pages of network and time, and the question before a used thing is deleted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

let browser;
let box;
scene((it) => ({ browser, box } = it));

const config = async () => (await box.ask('GET', '/config')).json.config;

test('on a PC the page says whose the network is, and marks packets all the same', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/settings/network');
  await page.getByText('This box runs on a PC').waitFor();
  assert.equal(await page.getByLabel('Name of the box').count(), 0, 'nothing that would have no effect');
  await page.getByLabel('DSCP of speech').fill('34');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();
  assert.equal((await config()).network.dscp_rtp, 34);
  await seat.close();
});

test('time servers are saved, and a wrong one is told at its field', async () => {
  const seat = await visit(browser, box, { lang: 'zh' });
  const { page } = seat;
  await login(seat);
  await seat.go('/settings/time');
  const field = page.getByLabel('NTP 服务器');
  await field.fill('ntp.example.com\nno:host');
  await page.getByRole('button', { name: '保存', exact: true }).click();
  await page.locator('[aria-invalid="true"]').waitFor();
  await field.fill('ntp.example.com');
  await page.getByRole('button', { name: '保存', exact: true }).click();
  await box.until('the servers are saved', config, (c) => c.time.ntp[0] === 'ntp.example.com');
  await seat.close();
});

test('a used extension is deleted only with those who use it, and comes back with an undo', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/extensions/101');
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('Queue main').waitFor();
  await dialog.getByText('Menu welcome').waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  assert.ok((await config()).extension.some((e) => e.number === '101'), 'nothing went');

  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await dialog.getByRole('button', { name: 'Delete with all of these' }).click();
  await page.getByText('is deleted.').waitFor();
  const after = await config();
  assert.ok(!after.extension.some((e) => e.number === '101'));
  assert.equal(after.queue[0].overflow, 'hang_up');
  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await box.until('it is back', config, (c) => c.queue[0].overflow === 'voicemail:101');
  await seat.close();
});

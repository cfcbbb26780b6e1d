// Saving is live at once: a problem stands at its field, a save can be undone, and the history shows who changed what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { login, visit } from './browser.mjs';
import { scene } from './scene.mjs';

let browser;
let box;
scene((it) => ({ browser, box } = it));

const extension = async (number) => {
  const { config } = (await box.ask('GET', '/config')).json;
  return config.extension.find((e) => e.number === number);
};

test('a problem found by the box stands at its field, in the language of the page', async () => {
  for (const [lang, label, save, text] of [
    ['en', 'User name', 'Save', /user/i],
    ['zh', '用户名', '保存', /该值已被使用/],
  ]) {
    const seat = await visit(browser, box, { lang });
    await login(seat);
    await seat.go('/extensions/102');
    const field = seat.page.getByLabel(label);
    await field.fill('101');
    await seat.page.getByRole('button', { name: save, exact: true }).click();
    await seat.page.locator('[aria-invalid="true"]').waitFor();
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    const described = await field.getAttribute('aria-describedby');
    const texts = await Promise.all(described.split(' ').map((id) => seat.page.locator(`[id="${id}"]`).innerText()));
    assert.match(texts.join(' '), text);
    assert.equal((await extension('102')).user, '102', 'nothing was changed');
    await seat.close();
  }
});

test('a save is in force at once, can be undone, and stands in the history', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/extensions/102');
  await page.getByLabel('Name of person or place').fill('Anna Schmidt');
  await page.getByLabel('Ring time').fill('40');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();
  const saved = await extension('102');
  assert.equal(saved.name, 'Anna Schmidt');
  assert.equal(saved.ring_timeout_s, 40);
  assert.equal(saved.password, 'test-only-102-secret', 'the password stayed');

  await page.getByRole('status').getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Undone.').waitFor();
  assert.equal((await extension('102')).name, 'Anna Keller');
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === 'Anna Keller'));

  await seat.go('/config');
  await page.getByText('in force').waitFor();
  await page.getByRole('row').nth(2).getByRole('button', { name: 'Show' }).click();
  await page.getByText('extension[102].name').waitFor();
  await page.getByText('Anna Schmidt').waitFor();
  await seat.close();
});

test('unsaved changes are not lost by a slip', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/extensions/101');
  await page.getByLabel('Name of person or place').fill('Somebody');
  page.once('dialog', (dialog) => dialog.dismiss());
  await page.getByRole('link', { name: 'Trunks' }).click();
  assert.match(page.url(), /\/extensions\/101$/);
  assert.equal(await page.getByLabel('Name of person or place').inputValue(), 'Somebody');
  await seat.close();
});

test('whoever edits what somebody else just changed is told so', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/extensions/101');
  const name = page.getByLabel('Name of person or place');
  await name.fill('My own name');
  const other = await extension('101');
  await box.ask('PUT', '/config/extension/101', { ...other, name: 'Front desk' });
  await page.getByText('Somebody else has just changed this.').waitFor();
  await page.getByRole('button', { name: 'Load again' }).click();
  assert.equal(await name.inputValue(), 'Front desk');
  await box.ask('PUT', '/config/extension/101', { ...other, name: 'Reception' });
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some((i) => i.value === 'Reception'));
  await seat.close();
});

test('a menu gets a new key and step in the outline', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/numbers/menus/welcome');
  await page.getByLabel('Add a key').selectOption('5');
  await page.getByLabel('Key 5', { exact: true }).selectOption({ label: 'Ring an extension' });
  await page.locator('button.step', { hasText: 'Rings the extension that was entered' }).click();
  await page.getByLabel('Which extension').selectOption('101');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();
  const { config } = (await box.ask('GET', '/config')).json;
  const { step } = config.flow.find((f) => f.name === 'welcome');
  assert.equal(step[step.menu.option['5']].number, '101');
  await seat.close();
});

test('a menu gets words for a key, and the site a recogniser; a wrong address is told at its field', async () => {
  const seat = await visit(browser, box);
  const { page } = seat;
  await login(seat);
  await seat.go('/numbers/menus/welcome');
  await page.getByText('No recogniser is set').waitFor();
  await page.getByLabel('Or says, for key 1').fill('Sales, buy， 销售');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();
  await seat.go('/settings/audio');
  await page.getByLabel('Recogniser for English').fill('http://10.0.0.5:2700');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('is no address of a recogniser').waitFor();
  await page.getByLabel('Recogniser for English').fill('ws://10.0.0.5:2700');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved. It is in force now.').waitFor();
  const { config } = (await box.ask('GET', '/config')).json;
  assert.deepEqual(config.flow.find((f) => f.name === 'welcome').step.menu.words, { 1: ['sales', 'buy', '销售'] });
  assert.deepEqual(config.audio.recogniser, { en: 'ws://10.0.0.5:2700', answer_ms: 1000, certainty_percent: 60 });
  await seat.close();
});

test('a new user signs in and sees only the pages of the role', async () => {
  await box.admin('olga', 'user', { extension: '101' });
  const seat = await visit(browser, box);
  await login(seat, 'olga');
  const links = await seat.page.getByRole('navigation', { name: 'Main navigation' }).getByRole('link').allInnerTexts();
  assert.deepEqual(links, ['Call history', 'Voicemail']);
  await seat.go('/extensions');
  await seat.page.getByText('Your role may not see this page.').waitFor();
  await seat.close();
});

// From the first page of a new box to an answered call to outside, counting every field filled and every button pressed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visit } from './browser.mjs';
import { Carrier } from './carrier.mjs';
import { Phone } from './phone.mjs';
import { scene } from './scene.mjs';

/** Most fields and buttons from the first page to the answered call. */
const INPUTS_MAX = 12;

let browser;
let box;
scene((it) => ({ browser, box } = it), { site: null });

test('twelve inputs lead from the first page to an answered call to outside', async () => {
  const carrier = await new Carrier('4930123456', 'carrier-secret').open();
  const seat = await visit(browser, box);
  const { page } = seat;
  let inputs = 0;
  const type = async (label, text) => {
    inputs += 1;
    await page.getByLabel(label, { exact: true }).last().fill(text);
  };
  const press = async (name) => {
    inputs += 1;
    await page.getByRole('button', { name }).click();
  };
  await seat.go('/');
  await type('Set-up code', (await box.ask('GET', '/setup/code')).json.code);
  await type('Password', 'a short sentence 7');
  await type('Name of the site', 'Hotel am Markt');
  inputs += 1;
  await page.getByLabel('Country').selectOption('DE');
  await press('Set up');
  await page.getByRole('heading', { level: 1, name: 'Ready. Now connect phones' }).waitFor();
  // What the page shows is typed into the phone, which is no input of the page.
  const row = page.getByRole('row').filter({ hasText: '101' });
  const [, password] = await row.locator('code').allTextContents();
  const phone = await new Phone(box, '101', password).open();
  try {
    await phone.register();
    await row.getByText('connected').waitFor();

    // As both stand in a carrier's letter.
    await type('Carrier’s SIP server', `sip:127.0.0.1:${carrier.port}`);
    await type('User name', '4930123456');
    await type('Password', 'carrier-secret');
    // A slip that the page explains at its field; it is none of the twelve.
    await page.getByLabel('Your outside number', { exact: true }).fill('030 / 12 34 56');
    await page.getByRole('button', { name: 'Save and connect' }).click();
    await page.getByText('Begin with + and the country code').waitFor();
    await type('Your outside number', '+49 (0)30 / 12 34 56');
    await press('Save and connect');
    await page.getByText('The carrier has accepted the account.').waitFor();

    await type('Number to call, e.g. your mobile', '01701234567');
    await press('Make a test call now');
    await page.getByText('The call is answered. The box can call outside.').waitFor();
    assert.ok(inputs <= INPUTS_MAX, `${inputs} inputs`);
    assert.ok(carrier.answered > 0, carrier.seen.join('\n'));
    const { config } = (await box.ask('GET', '/config')).json;
    assert.deepEqual([config.trunk[0].host, config.inbound[0].number], ['127.0.0.1', '+4930123456']);
    assert.equal(config.inbound[0].to, 'extension:101', 'calls from outside ring the phone');
  } finally {
    phone.close();
    carrier.close();
  }
  await seat.close();
});

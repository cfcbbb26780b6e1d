// What most tests of the pages begin and end with: a browser, a box, people who may sign in, and telephones.
import { after, before } from 'node:test';
import { SITE, startBox } from './box.mjs';
import { launch } from './browser.mjs';
import { Phone } from './phone.mjs';

/**
 * Before the first test of a file `set` gets `{ browser, box, phones }`; after the last one all of it is taken down, also
 * when it did not come up as a whole.
 *
 * `site`: text of the first configuration; null = a new box, with nobody who may sign in. `people`: name, role and more of
 * those beside the administrator. `phones`: numbers of those that register; `answers`: they take calls; `voices`: their tones by
 * number, Hz. `flags`: of the browser.
 */
export function scene(set, { site = SITE, people = [], phones: numbers = [], answers = true, voices = {}, flags = [] } = {}) {
  const phones = [];
  let browser;
  let box;
  before(async () => {
    browser = await launch(flags);
    box = await startBox({ site: site ?? undefined });
    if (site) await box.admin();
    for (const person of people) await box.admin(...person);
    for (const number of numbers) {
      const phone = await new Phone(box, number, `test-only-${number}-secret`, { answers, hz: voices[number] }).open();
      phones.push(phone);
      await phone.register();
    }
    await set({ browser, box, phones });
  });
  after(async () => {
    for (const phone of phones) phone.close();
    await browser?.close();
    await box?.stop();
  });
}

// Builds the pages into dist/: index.html and hashed files in assets/. Nothing is fetched from elsewhere at run time.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

const PROMPTS = fileURLToPath(new URL('../../../rootfs/usr/share/belfry/prompts/', import.meta.url));
/** Words that only the box itself puts together: spoken numbers and dates, the talk of voicemail and agents. */
const INTERNAL = /^(agent|clock|day|digit|month|num|ordinal|queue|time|vm|zh|year)-/;

/** `virtual:prompts`: the built-in prompts that a menu may say, as [name, English, Chinese], from the box's own lists. */
function prompts() {
  const id = 'virtual:prompts';
  const read = (lang) =>
    new Map(
      readFileSync(`${PROMPTS}${lang}.txt`, 'utf8')
        .split('\n')
        .filter((line) => /^[a-z][\w-]*\s*=/.test(line))
        .map((line) => {
          const at = line.indexOf('=');
          return [line.slice(0, at).trim(), line.slice(at + 1).replace(/\[.*\]\s*$/, '').trim()];
        }),
    );
  return {
    name: 'prompts',
    resolveId: (source) => (source === id ? `\0${id}` : null),
    load(source) {
      if (source !== `\0${id}`) return null;
      const zh = read('zh');
      const list = [...read('en')]
        .filter(([name, text]) => !INTERNAL.test(name) && /[.?!]$/.test(text))
        .map(([name, text]) => [name, text, zh.get(name) ?? text]);
      return `export default ${JSON.stringify(list)}`;
    },
  };
}

export default defineConfig({
  plugins: [svelte(), prompts()],
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  // For work on the pages: `BELFRY=https://127.0.0.1:8443 npm run dev` beside a running box.
  server: {
    proxy: { '/api': { target: process.env.BELFRY ?? 'https://127.0.0.1:8443', secure: false, ws: true } },
  },
});

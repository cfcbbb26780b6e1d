// Builds the pages into dist/: index.html and hashed files in assets/. Nothing is fetched from elsewhere at run time.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  // For work on the pages: `BELFRY=https://127.0.0.1:8443 npm run dev` beside a running box.
  server: {
    proxy: { '/api': { target: process.env.BELFRY ?? 'https://127.0.0.1:8443', secure: false, ws: true } },
  },
});

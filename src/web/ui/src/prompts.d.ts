// The built-in prompts a menu may say: name, English words, Chinese words. Made by vite.config.mjs from the box's lists.
declare module 'virtual:prompts' {
  const prompts: [name: string, en: string, zh: string][];
  export default prompts;
}

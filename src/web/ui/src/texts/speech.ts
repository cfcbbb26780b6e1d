// Texts of speech input: words of menus, and who understands them.
import { texts } from '../lib/i18n.svelte';

export const S = texts({
  words: ['Or says, for key {key}', '或说出（按键 {key}）'],
  wordsExample: ['sales, buy, 销售', 'sales, buy, 销售'],
  wordsHint: [
    'Words that choose like the key: any language, separated by commas; names of a recogniser’s intents too.',
    '与按键作用相同的词语：不限语言，以逗号分隔；也可写识别服务的意图名称。',
  ],
  noRecogniser: ['No recogniser is set (Settings, Sound): callers use keys.', '尚未设置识别服务（设置 › 声音）：来电者只能按键。'],
  title: ['Speech input', '语音输入'],
  hint: [
    'Callers may speak to menus instead of pressing keys. While a menu waits, what the caller says goes to this service as it is spoken. Without it, or when it fails, menus go by keys.',
    '来电者可对语音菜单说话代替按键。菜单等待期间，来电者的话音会实时发送到此服务。未设置或服务故障时，菜单仍可按键。',
  ],
  privacy: [
    'Privacy: the voice of callers leaves the box for this address, only while a menu listens and somebody speaks. The words understood are kept with the call. Tell callers so where the law wants it; wss:// hides it from others on the way.',
    '隐私：仅在菜单聆听且有人说话时，来电者的话音会离开本机发送到此地址；识别出的文字随通话保存。依法需要时请告知来电者；wss:// 可防止途中窃听。',
  ],
  en: ['Recogniser for English', '英语识别服务'],
  zh: ['Recogniser for Mandarin', '普通话识别服务'],
  address: ['WebSocket that speaks like a Vosk server, e.g. ws://10.0.0.5:2700', '兼容 Vosk 服务器的 WebSocket，例如 ws://10.0.0.5:2700'],
  answer: ['Waits for an answer at most', '最长等待回答'],
  certainty: ['Certainty needed', '所需置信度'],
  certaintyHint: ['Less sure: the caller is asked again.', '低于此值将再次询问来电者。'],
});

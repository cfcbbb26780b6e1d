// Texts of login and set-up.
import { texts } from '../lib/i18n.svelte';

export const L = texts({
  title: ['Log in', '登录'],
  user: ['User name', '用户名'],
  password: ['Password', '密码'],
  enter: ['Log in', '登录'],
  change: ['Change password', '更改密码'],
  old: ['Present password', '当前密码'],
  next: ['New password', '新密码'],
  changed: ['The password is changed. Other browsers are signed out.', '密码已更改，其他浏览器已退出登录。'],
  oldWrong: ['The present password is wrong.', '当前密码错误。'],
  wrong: ['User name or password is wrong.', '用户名或密码错误。'],
  forgot: [
    'Forgotten? On the box, “belfry user set NAME --role admin” sets a new password.',
    '忘记密码？在设备上运行 belfry user set NAME --role admin 可设置新密码。',
  ],
});

export const S = texts({
  title: ['Set up this box', '设置这台设备'],
  intro: [
    'One page, then the phones can call each other. Everything can be changed later.',
    '只需一页，之后话机即可互相通话。所有设置以后都能更改。',
  ],
  stepOwner: ['1. Prove that this box is yours', '1. 证明您是设备的主人'],
  code: ['Set-up code', '设置码'],
  codeHint: [
    'It stands in the start-up output, on the serial console and on the label. It works once.',
    '显示在启动输出、串口控制台和设备标签上，仅可使用一次。',
  ],
  stepAdmin: ['2. Your account', '2. 您的账户'],
  user: ['Administrator name', '管理员用户名'],
  password: ['Password', '密码'],
  passwordHint: ['At least 10 characters; a short sentence is good.', '至少 10 个字符，可以用一句短语。'],
  passwordShort: ['At least 10 characters, please.', '请至少输入 10 个字符。'],
  userRule: ['Small letters, digits, dot, dash and underline; no spaces.', '仅限小写字母、数字、点、短横线和下划线，不含空格。'],
  stepSite: ['3. Your site', '3. 您的站点'],
  siteName: ['Name of the site', '站点名称'],
  siteNameHint: ['Shown in the admin and in mails, e.g. the company.', '显示在管理界面和邮件中，例如公司名称。'],
  language: ['Language of announcements', '语音提示的语言'],
  country: ['Country', '国家'],
  countryHint: ['Decides emergency numbers, tones and how numbers are written.', '决定紧急号码、信号音和号码写法。'],
  zone: ['Time zone', '时区'],
  submit: ['Set up', '完成设置'],
  wrongCode: [
    'This code is not right. Look at the start-up output or run “belfry console” on the box for the present one.',
    '设置码不正确。请查看启动输出，或在设备上运行 belfry console 获取当前的设置码。',
  ],
  doneTitle: ['Ready. Now connect phones', '设置完成，现在连接话机'],
  doneIntro: [
    'Type these into a desk phone or a softphone app. Each phone has its own random password.',
    '将以下信息填入话机或软电话应用。每部话机都有各自的随机密码。',
  ],
  server: ['Server (registrar)', '服务器（注册地址）'],
  port: ['Port', '端口'],
  transport: ['Transport', '传输方式'],
  udpTcp: ['UDP or TCP', 'UDP 或 TCP'],
  number: ['Number and user name', '号码（用户名）'],
  sipPassword: ['Password', '密码'],
  state: ['State', '状态'],
  waiting: ['waiting for the phone', '等待话机注册'],
  connected: ['connected', '已连接'],
  echo: [
    'Then call {code}: you hear yourself. After that, call one phone from another by its number.',
    '然后拨打 {code}：您会听到自己的声音。之后即可用号码从一部话机呼叫另一部。',
  ],
  toOverview: ['Continue to the overview', '继续前往概览'],
  copyServer: ['Copy the server address', '复制服务器地址'],
  copyPassword: ['Copy the password of {number}', '复制 {number} 的密码'],
});

// Runes everywhere; a warning of the compiler (accessibility too) fails `npm run check`.
export default { compilerOptions: { runes: true } };

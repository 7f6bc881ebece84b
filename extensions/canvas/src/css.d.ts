/** Built as text (esbuild's text loader): the bundle carries its own styles. */
declare module '*.css' {
  const text: string;
  export default text;
}

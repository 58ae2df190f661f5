// What esbuild makes of files that are no code: a style sheet joins the page's, a photo becomes its address.

declare module '*.css';

declare module '*.jpg' {
  const address: string;
  export default address;
}

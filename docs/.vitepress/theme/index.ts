// VitePress's own theme in the reader's system fonts, so that no font travels; and what tables and pictures need.

import theme from 'vitepress/theme-without-fonts';
import './style.css';

export default theme;

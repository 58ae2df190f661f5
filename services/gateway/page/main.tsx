// Puts the page into its document.

import { render } from 'preact';
import { App } from './app.tsx';
import './style/page.css';

const root = document.getElementById('page');
if (root) render(<App />, root);

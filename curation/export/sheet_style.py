"""How a contact sheet looks: light and dark, on a telephone, on a wide screen and on paper."""

from __future__ import annotations

import base64
import hashlib

STYLE = """
:root { color-scheme: light dark; --paper: #f6f5f2; --card: #fff; --ink: #1d1c1a; --soft: #6b6862; --line: #e3e0da;
  --link: #2457a8; --train: #2f6f4f; --validation: #9a5b00; --test: #7a3ea1; --frame: #eeece7 }
@media (prefers-color-scheme: dark) { :root { --paper: #161614; --card: #21201e; --ink: #ecebe7; --soft: #a09c94;
  --line: #34322f; --link: #8db4f5; --train: #7cc7a0; --validation: #e3ac57; --test: #cda3ea; --frame: #2a2927 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.45 system-ui, "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR", "Noto Sans CJK KR", sans-serif }
header, main { max-width: 1500px; margin: 0 auto; padding: 0 24px }
header { padding-top: 32px }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -.01em; margin: 0 0 4px }
header p { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; color: var(--soft); margin: 0 0 16px }
nav { display: flex; flex-wrap: wrap; gap: 6px; max-height: 9.5em; overflow: auto }
nav a { padding: 3px 11px; border: 1px solid var(--line); border-radius: 99px; background: var(--card); color: inherit;
  text-decoration: none }
nav a:hover { border-color: var(--link); color: var(--link) }
small, nav small { color: var(--soft); font-size: 12px; font-weight: 400 }
section { margin-top: 28px }
h2 { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin: 0;
  padding: 10px 0; font-size: 19px; background: var(--paper); border-bottom: 1px solid var(--line) }
.badge { padding: 1px 8px; border-radius: 99px; background: var(--frame); color: var(--soft); font-size: 12px;
  font-weight: 500; font-variant-numeric: tabular-nums; display: inline-block; white-space: nowrap }
.badge.train { color: var(--train) } .badge.validation { color: var(--validation) } .badge.test { color: var(--test) }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 14px; margin: 14px 0 0;
  padding: 0; list-style: none }
.tiles li { display: flex; flex-direction: column; min-width: 0; overflow: hidden; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px; padding-bottom: 8px; break-inside: avoid }
.tiles li > span { padding: 0 10px; font-size: 12px; line-height: 1.4; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis }
.frame { position: relative; aspect-ratio: 1; margin-bottom: 7px; background: var(--frame);
  border-bottom: 3px solid transparent }
.frame img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain }
.frame img.tiny { image-rendering: pixelated }
.frame a:focus-visible img { outline: 3px solid var(--link); outline-offset: -3px }
.validation .frame { border-bottom-color: var(--validation) } .test .frame { border-bottom-color: var(--test) }
.tiles .title { font-size: 13px }
.by, .licence { color: var(--soft) }
.licence.unknown { font-style: italic; opacity: .85 }
.licence a { color: var(--link); text-decoration: none } .licence a:hover { text-decoration: underline }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.pager { justify-content: center; margin: 36px 0 }
main { padding-bottom: 48px }
@media (max-width: 520px) { header, main { padding-left: 14px; padding-right: 14px }
  .tiles { grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 8px }
  .tiles li > span { padding: 0 8px } .tiles .licence { white-space: normal } }
@media print { h2 { position: static } nav { display: none } body { background: none } }
"""
STYLE_DIGEST = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

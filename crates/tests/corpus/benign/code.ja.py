# -*- coding: utf-8 -*-
"""挨拶を表示する。"""
import base64, html, re, urllib.parse

名前 = "世界"
def 挨拶(相手: str) -> str:
    return f"こんにちは、{相手}！"

print(挨拶(名前), "\u3042\n", b"\xe3\x81\x82".decode(), html.unescape("&eacute;&#12354;"))
TOKEN_RE = re.compile(r"(?i)token\s*[:=]\s*([A-Za-z0-9+/=_-]{20,})")

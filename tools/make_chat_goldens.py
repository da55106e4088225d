#!/usr/bin/env python3
# Made with: transformers 5.23.0, jinja2 3.1.6, Python 3.11 (tools/requirements.txt).
"""Render chat templates by jinja2, as transformers sets it up.

Tests/Fixtures/chat/templates holds templates that were written for this project, of the shapes and
with the constructs that published ones have. Written are

    renders.json      every template on every conversation, with and without a tool, with and without
                      `add_generation_prompt`: `expected`, or `refusal`, the message with which the
                      template refuses its input (null where Python does)
    expressions.json  `cases` on the same `variables`: `source` and `expected`, or `fails`, true where
                      jinja2 raises an error

Dictionaries among the values given to templates are lists of pairs under the one key `pairs`.
The date of `strftime_now` is 26 July 2024.
"""

from __future__ import annotations

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

import jinja2
from transformers.utils import chat_template_utils

DATE = datetime.datetime(2024, 7, 26)


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz: Any = None) -> datetime.datetime:
        return DATE


chat_template_utils.datetime = FixedDate


def compiled(source: str) -> jinja2.Template:
    return chat_template_utils._cached_compile_jinja_template(source)


TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "It's \"hot\" — or <cold> & wet",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "Ort, z. B. Zürich"},
                "days": {"type": "array", "items": {"type": "integer"}, "nullable": True},
                "unit": {"enum": ["K", "C"]},
                "more": {
                    "type": "object",
                    "properties": {"a": {"type": ["string", "null"]}, "b": {}},
                    "required": ["a"],
                },
            },
            "required": ["place"],
        },
    },
}


def conversation(*turns: Any) -> list:
    roles = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "i": "ignored"}
    return [{"role": roles[role], "content": content} for role, content in turns]


CONVERSATIONS = {
    "user": conversation(("u", "Hello")),
    "system": conversation(("s", "  Be brief.\n"), ("u", " What is 2 + 2? ")),
    "long": conversation(("s", "Rules"), ("u", "a\n\nb"), ("a", "<think>\nhm\n</think>\n\nyes"), ("u", "Grüße 👋🏽 <s>")),
    "twice": conversation(("u", "one"), ("u", "two")),
    "again": conversation(("u", "one"), ("a", "two"), ("u", "END"), ("a", "never")),
    "empty": conversation(("u", "")),
    "parts": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": " what? "}]}],
    "calls": [
        {"role": "user", "content": "Weather?"},
        {
            "role": "assistant",
            "content": "",
            "calls": [{"function": {"name": "weather", "arguments": {"place": "Zürich", "days": [1, 2]}}}],
        },
        {"role": "tool", "content": "sun"},
        {"role": "tool", "content": "wind"},
    ],
    "names": [
        {"role": "user", "content": "x", "name": "ada"},
        {"role": "ignored", "content": "y"},
        {"role": "user", "content": "z"},
    ],
}


def renders(folder: Path) -> dict:
    cases = []
    for path in sorted(folder.glob("*.jinja")):
        template = compiled(path.read_text(encoding="utf-8"))
        for name, messages in CONVERSATIONS.items():
            for with_tool, prompting in ((False, True), (True, True), (False, False)):
                case = {"template": path.name, "conversation": name, "tool": with_tool, "prompting": prompting}
                variables = {
                    "messages": messages, "tools": [TOOL] if with_tool else None, "documents": None,
                    "add_generation_prompt": prompting, **TOKENS,
                }
                try:
                    case["expected"] = template.render(**variables)
                except jinja2.exceptions.TemplateError as error:
                    case["refusal"] = str(error)
                except TypeError:
                    # A list where the template expects a text.
                    case["refusal"] = None
                cases.append(case)
    conversations = {name: ordered(messages) for name, messages in CONVERSATIONS.items()}
    return {"tokens": TOKENS, "tool": ordered(TOOL), "conversations": conversations, "cases": cases}


def ordered(value: Any) -> Any:
    """Dictionaries as objects with the one key `pairs`, since many readers of JSON lose the order of keys."""
    if isinstance(value, dict):
        return {"pairs": [[key, ordered(inner)] for key, inner in value.items()]}
    return [ordered(inner) for inner in value] if isinstance(value, list) else value


VARIABLES = {
    "a": [3, 1, 2], "d": {"b": 1, "a": "x", "items": [1]}, "s": "Hello, World", "n": None, "e": "", "f": 1.5,
    "u": "  \u00a0\u3000x\u2003\n", "g": "e\u0301\u00e9👍🏽ßΣΑΣ", "t": True,
    "m": [{"role": "user", "c": "1", "k": {"z": 2}}, {"role": "bot", "c": "2"}, {"role": "User", "c": "0", "k": {"z": 1}}],
}

EXPRESSIONS = r"""
1 + 2 * 3 - 4
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
7 / 2
6 / 2
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
1.0
1e3
1e16
1e15
123456789012345680.0
0.1 + 0.2
1e-4
0.00001
1.5e300 * 1e10
7.5 // 2
-7.5 % 2
1_000
0x1F
0b101 + 0o17
1 == 1.0
true == 1
true + 1
1 < 2 < 3
1 < 3 < 2
3 > 2 > 1
'a' < 'b'
[1, 2] < [1, 3]
none == none
none is none
1 in a
4 not in a
'World' in s
'b' in d
1 in d
not a
not not a
true and 0
0 or 'x'
'' or none
'x' if a else 'y'
'x' if false
('x' if false) is defined
s[0]
s[-1]
s[99]
s[99] is defined
s[0:5]
s[::-1]
s[7:]
s[-5:-2]
s[::2]
a[1:]
a[:-1]
a[::-1]
a[5:]
a[:99]
(1, 2, 3)[1:]
a[0]
a[-1]
a.0
m[0].role
m[0]['role']
m[0].k.z
m[1].k is defined
m[1].k
d.b
d['b']
d['items']
d.missing
d.missing is defined
d.get('b')
d.get('z')
d.get('z', 5)
d.get('z') is none
d.keys() | list
d.values() | list
d.items() | list
d
a
n
t
f
(1,)
()
[]
{}
{'a': 1, 2: [3, none, true], 'c': {'d': 'it\'s'}}
['it\'s "q"', 'it\'s', "\n\t\\", "\u00e9\u0301\u200b"]
'a' 'b' "c"
'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1] ~ missing
'ab' * 3
3 * 'ab'
[1] * 3
'ab' * -1
[1] + [2]
(1,) + (2,)
'a\
b'
"\x41\u00e9\U0001F44D\101\z\é"
u | trim
u.strip()
u.lstrip()
u.rstrip()
'xxaxx'.strip('x')
'xyaxy'.lstrip('xy')
g | length
g[1]
g[::-1]
g | upper
g | lower
'ὈΔΥΣΣΕΎΣ ΑΣ. Σ' | lower
'ǆ ŉ ﬁ' | upper
'ǆx ßx' | capitalize
"they're bill's FRIENDS-and (some) x" | title
"they're bill's FRIENDS" .title()
s.upper()
s.lower()
s.split(', ')
s.split()
' a  b '.split()
' a  b '.split(' ')
'a,b,c'.split(',', 1)
'a b  c '.split(none, 1)
'a,b,c'.rsplit(',', 1)
'aaa'.split('aa')
'aaa'.rsplit('aa')
' a b c '.rsplit(none, 1)
'a\nb\r\nc\n'.splitlines()
s.startswith('Hell')
s.startswith(('x', 'H'))
s.endswith('d')
s.replace('l', 'L')
s.replace('l', 'L', 1)
'abc'.replace('', '-')
'abc'.replace('', '-', 2)
s.find('o')
s.find('zz')
s.rfind('o')
s.count('l')
s.index('W')
', '.join(['a', 'b'])
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'prefix-x'.removeprefix('prefix-')
'x.txt'.removesuffix('.txt')
'12'.isdigit()
'ab1'.isalnum()
'ab'.isalpha()
'  '.isspace()
'AB'.isupper()
s | replace('o', '0')
12 | replace(1, 3)
s | length
a | length
a | count
d | length
missing | length
a | sort
a | sort(reverse=true)
['b', 'A', 'a', 'B'] | sort
['b', 'A', 'a', 'B'] | sort(case_sensitive=true)
m | sort(attribute='c') | map(attribute='c') | join
m | map(attribute='k.z', default='-') | join(',')
m | map(attribute='role') | list
['a', 'b'] | map('upper') | list
['a', ''] | select | list
[1, 2, 3, 4] | select('odd') | list
[1, 2, 3, 4] | reject('divisibleby', 2) | list
m | selectattr('role', 'equalto', 'user') | list
m | selectattr('role', '==', 'user') | list | length
m | rejectattr('role', 'in', ['user', 'bot']) | map(attribute='c') | list
m | selectattr('k') | list | length
m | selectattr('k', 'defined') | map(attribute='c') | join
(m | selectattr('role', 'equalto', 'nobody')) | list | length
(m | map(attribute='c'))[0] is defined
a | first
a | last
[] | first
[] | last is defined
s | first
a | reverse | list
s | reverse
a | join('-')
m | join('-', attribute='c')
[1, none, 'x', true] | join(' ')
a | sum
m | map(attribute='c') | map('int') | sum
a | min
a | max
['b', 'A'] | min
m | max(attribute='c')
['a', 'A', 'b'] | unique | list
[1, 1.0, true, '1'] | unique | list
d | dictsort
{'B': 1, 'a': 3, 'C': 2} | dictsort
{'B': 1, 'a': 3, 'C': 2} | dictsort(true)
{'B': 1, 'a': 3, 'C': 2} | dictsort(by='value', reverse=true)
d | items | list
d | list
'abc' | list
missing | list
missing | default('x')
missing | d
e | default('x')
e | default('x', true)
n | default('x')
n | default('x', boolean=true)
'12' | int
'x' | int
'x' | int(7)
'3.9' | int
' -12 ' | int
3.99 | int
-3.99 | int
'1_0' | int
'ff' | int(0, 16)
n | int
'1.25' | float
'x' | float
5 | float
2.5 | round
3.5 | round
2.1 | round(method='ceil')
2.9 | round(0, 'floor')
7 | round
-5 | abs
-5.5 | abs
5 | string
none | string
true | string
'<a&b>' | safe
'a\nb\n\nc' | indent
'a\nb\n\nc' | indent(2, true)
'a\nb\n\nc\n' | indent(width=1, blank=true)
'a\nb' | indent('> ')
'' | indent
'one two-three' | wordcount
d | tojson
m | tojson
{'a': [], 'b': {}, 'c': [1, [2]], 'é': '\u2028\x7f\x01"\\/<>&\''} | tojson
{'a': [], 'b': {}, 'c': [1, [2]], 'é': 'x'} | tojson(indent=2)
{'b': [1, 2], 'a': 'é👍'} | tojson(ensure_ascii=true, sort_keys=true)
{'b': [1, 2], 'a': 1} | tojson(separators=(',', ':'))
{'b': [1, 2]} | tojson(indent='\t')
{'b': [1, 2]} | tojson(indent=0)
[1.0, 1e20, 0.1, true, none, (1, 2)] | tojson
{1: 2, none: 3, true: 4, 1.5: 5} | tojson
'a\u0007\b\f' | tojson
range(5) | list
range(2, 8, 3) | list
range(5, 0, -2) | list
range(3)
range(3) | length
range(10)[2]
3 in range(5)
dict(a=1, b=2)
dict({'a': 1}, b=2)
dict([('a', 1)])
namespace(a=1).a
namespace({'a': 2}).a
namespace(a=1)['a']
namespace().x is defined
strftime_now('%d %b %Y')
strftime_now('%Y-%m-%dT%H:%M:%S %A %a %B %j %y %-d %e %I %p %% %F %T')
m is iterable
m is sequence
d is mapping
d is sequence
s is iterable
s is string
n is iterable
1 is number
true is number
true is integer
1.0 is float
1 is integer
t is boolean
t is true
n is false
missing is undefined
missing is defined
missing is iterable
(a | map('string')) is sequence
(a | map('string')) is iterable
3 is odd
4 is even
9 is divisibleby 3
9 is divisibleby(2)
1 is eq 1
1 is ne 2
2 is gt 1
2 is greaterthan(3)
1 is lt(2)
1 is ge 1
1 is le(0)
'a' is in ['a']
'a' is not in ['a']
not 'a' is in 'abc'
none is sameas none
'abc' is lower
'ABC' is upper
range is callable
missing == missing
missing == none
'x' in missing
missing ~ 'x'
[missing]
a | length > 2 and s | length < 99
'%s' if false else 'z'
a|length - 1
(a)|length
- 3 | abs
'a' + 'b' | upper
1 if 2 if 0 else 3 else 4
[1, 2, 3,][1]
{'a': 1}['a']
{'a': {'b': [10, 20]}}.a.b[1]
'é' == 'e\u0301'
'a' == "a"
[1, [2]] == [1, [2]]
{'a': 1} == {'a': 1.0}
(1, 2) == [1, 2]
s.missing is defined
(1).x is defined
n.x is defined
m[0]._x is defined
"{{ '{%' }}"
missing.x
missing[0]
missing + 1
missing()
n + 'x'
1 + 'x'
'x' + 1
'x' - 'y'
1 / 0
1 // 0
1 % 0
n()
n | length
1 | length
1 in 'abc'
1 in 1
a < s
n < 1
[3, 'a'] | sort
{[1]: 2}
s[0:'a']
n[0:1]
a[::0]
s.nothing()
a.append(1)
d.update({})
d.pop('b')
range(10 ** 6)
range(1, 2, 0)
'x' | nofilter
'x' is notest
missing | tojson
dict(1)
namespace(_a=1)
raise_exception('no')
'abc'.split('')
'a'.index('b')
','.join([1])
missing | int
- missing
- 'x'
[1, 2, 3] | map | list
'x' | trim(1)
1 is divisibleby
loop
loop.index
""".strip("\n")

TEMPLATES = [
    "a\n", "a\n\n", "\n", "", " \n ", "a\r\nb\rc\r\n",
    "{% if t %}\nx\n{% endif %}\ny", "  {% if t %}\n  x\n  {% endif %}\n  y", "a  {% if t %}  b  {% endif %}  c",
    "a\n  {%- if t %}\n b\n {%- endif %} c", "a {{- ' b ' -}} c", "a\n\n{{- 'b' -}}\n\nc", "a\n  {{ 'b' }}\n  c",
    "  {{ 'b' }}  ", "\n  {%+ if t %}\n x{%+ endif %}\n", "  {%+ if t -%}  x {% endif +%}\ny", "a {# c #} b", "a\n  {# c #}\nb",
    "a\n  {#- c -#}\n b", "{# a\nb #}\n\nx", "{#-#}x", "x {#--#} y", "{##}x", "a\t{%- set x = 1 -%}\u00a0\u3000b",
    "{% raw %}{{ x }} {% if %}{% endraw %}", "  {% raw %}\n {{ y }}\n  {% endraw %}\nz", "a {%- raw -%} b {%- endraw -%} c",
    "{% raw %} {# {% endraw %}", "{{ '}}' }}", "{{ '%}' }}{% if '%}' %}x{% endif %}", "{{ {'a': {'b': 1}} }}", "{{ {'a': {}}}}",
    "{{ '\n' }}", "{{ 'a\r\nb' }}", "{ { x } }", "{{1}}{{2}}", "{%if t%}x{%else%}y{%endif%}", "a{% set x %} b {% endset %}c{{ x }}",
    "{% set x | upper | trim %} b {% endset %}[{{ x }}]", "{% set x = 1, 2 %}{{ x }}", "{% set x, y = 1, 2 %}{{ x }}{{ y }}",
    "{% set (x, y) = (1, 2) %}{{ x }}{{ y }}", "{% set x = 1 %}{% if t %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set x = 1 %}{% for i in a %}{{ x }}{% set x = x + i %}{{ x }},{% endfor %}{{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in a %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% for i in a %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.depth }}{{ loop.previtem }}{{ loop.nextitem }};{% endfor %}",
    "{% for i in a if i > 1 %}{{ loop.index }}:{{ i }}{{ ', ' if not loop.last }}{% endfor %}", "{% for i in [] %}x{% else %}none{% endfor %}",
    "{% for i in a if i > 9 %}x{% else %}none{% endfor %}", "{% for i in a %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}e{% endfor %}",
    "{% for i in a %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "{% for i in a %}{% continue %}{% else %}e{% endfor %}",
    "{% for i in a %}{% break %}{% else %}e{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for (k, v) in d|dictsort %}{{ k }}{% endfor %}", "{% for c in s[:3] %}{{ c }}-{% endfor %}", "{% for x in missing %}x{% else %}none{% endfor %}",
    "{% for x in a %}{% for y in a %}{{ loop.index }}{{ x }}{{ y }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for x in a %}{% set outer = loop %}{% for y in a %}{{ outer.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in a %}{{ loop.cycle('o', 'e') }}{{ loop.changed(x // 2) }}{% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}", "{% for x in a: %}{{ x }}{% endfor %}",
    "{% for x in a %}{{ x }}{% endfor %}{{ x is defined }}", "{% for x in range(3) %}{% if loop.last %}{{ x }}{% endif %}{% endfor %}",
    "{% macro f(x, y=2) %}[{{ x }}{{ y }}]{% endmacro %}{{ f(1) }}{{ f(1, 3) }}{{ f(y=4, x=5) }}{{ f() }}",
    "{% macro f(x, y=x) %}{{ x }}{{ y }}{% endmacro %}{{ f(1) }}", "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, a=3) }}",
    "{% macro f(n) %}{{ n }}{% if n %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}x{% endcall %}",
    "{% macro f() %}{{ caller('a', 'b') }}{% endmacro %}{% call(x, y) f() %}{{ y }}{{ x }}{{ t }}{% endcall %}", "{% macro f() %}{{ z }}{% endmacro %}{% set z = 3 %}{{ f() }}",
    "{% macro f() %}  x  {% endmacro %}{{ f()|trim }}|{{ f() ~ 'y' }}", "{{ f is defined }}{% macro f() %}{% endmacro %}{{ f is defined }}{{ f.name }}{{ f }}",
    "{% filter upper %}a{{ 'b' }}{% endfilter %}", "{% filter upper|replace('A', 'x') %}a{{ 'b' }}{% endfilter %}", "{% with x = 1, y = 2 %}{{ x }}{{ y }}{% endwith %}{{ x is defined }}",
    "{% set x = 5 %}{% with x = 1, y = x %}{{ y }}{% endwith %}{{ x }}", "{% print 1, 2 %}", "{% generation %}x{% set q = 1 %}{% endgeneration %}{{ q is defined }}", "a\n{% generation %}\nx\n{% endgeneration %}\nb",
    "{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y is defined }}", "{% if n %}1{% elif e %}2{% elif t %}3{% else %}4{% endif %}", "{% if missing %}1{% else %}2{% endif %}", "{% if a and (t or n) and not e %}y{% endif %}",
    "{% if 'a' in d and d['b'] == 1 %}y{% endif %}", "{% set ns = namespace() %}{% set ns.a = [1] %}{% set ns.b = ns.a + [2] %}{{ ns.b }}{{ ns.c is defined }}", "{% if (a|length) == 3 %}y{% endif %}", "{{ a|map('string')|join }}{% set g = a|map('string') %}{{ g|list }}{{ g|list }}",
    "{% set g = a|select %}{% if g %}y{% endif %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% endfor %}", "{{ (a|map('string'))|first }}", "{% set g = a|map('string') %}{{ '1' in g }}{{ g|list }}", "{% set messages = m %}{% set m = messages[1:] %}{{ m|length }}{{ messages|length }}",
    "{{ dict(**d) }}", "{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(*[1, 2]) }}{{ f(**{'a': 3, 'b': 4}) }}{{ f(1, **{'b': 2}) }}", "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}", "{{ 'x' }}\n{{ 'y' }}\n", "{%- if t -%}\n\n  x  \n\n{%- endif -%}\n\n y",
    # Errors.
    "{% if %}x{% endif %}", "{% if t %}x", "{% endif %}", "{% for x in a %}", "{% for x a %}{% endfor %}", "{{ x", "{% if t", "{# x", "{% raw %} x", "{{ 'x }}", "{{ }}", "{{ 1 + }}", "{{ (1 }}", "{{ 1) }}", "{{ [1, 2 }}", "{{ a b }}", "{{ a..b }}", "{{ a.'b' }}",
    "{% unknown %}", "{% do a %}", "{% set 1 = 2 %}", "{% set none = 2 %}", "{% set x y %}", "{% break %}", "{% for loop in a %}{% endfor %}", "{% macro f(a=1, b) %}{% endmacro %}", "{% call 1 %}{% endcall %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% set a, b = 1 %}", "{% set x = {} %}{% set x.a = 1 %}", "{% set nope.a = 1 %}", "{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}", "{% macro f(a) %}{% endmacro %}{{ f(b=2) }}", "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% set ns = namespace() %}{% set ns._a = 1 %}", "{{ a ? b }}", "{{ a ! b }}", "{{ $x }}", "{{ a; b }}", "{{ f(a=1, 2) }}",
    "{{ '\\u12' }}", "{{ 007 }}", "{% if t %}{% else %}{% else %}{% endif %}", "{% elif t %}", "{{ x is defined is defined }}", "{{ 'a' 1 }}",
]


def expressions() -> list[dict]:
    sources = ["{{ " + line + " }}" for line in split_lines(EXPRESSIONS)] + TEMPLATES
    cases = []
    for source in sources:
        case: dict = {"source": source}
        try:
            case["expected"] = compiled(source).render(**VARIABLES)
        except Exception:
            case["fails"] = True
        cases.append(case)
    return cases


def split_lines(text: str) -> list[str]:
    """Lines; one that ends in a backslash goes on in the next."""
    lines: list[str] = []
    for line in text.split("\n"):
        if lines and lines[-1].endswith("\\"):
            lines[-1] += "\n" + line
        else:
            lines.append(line)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("Tests/Fixtures/chat"))
    folder = parser.parse_args().folder
    documents = {
        "renders.json": renders(folder / "templates"),
        "expressions.json": {"variables": {k: ordered(v) for k, v in VARIABLES.items()}, "cases": expressions()},
    }
    for name, document in documents.items():
        text = json.dumps(document, ensure_ascii=True, indent=1)
        (folder / name).write_text(text + "\n", encoding="utf-8")
        cases = document["cases"]
        print(f"{name}: {len(cases)} cases, {sum('expected' not in case for case in cases)} of them refused")


if __name__ == "__main__":
    main()

"""Characters of other alphabets that are a digit, a Latin letter or a Korean letter to any eye.

A Greek ο is an o: whoever says that it is "none of the letters" teaches noise, and whoever measures it measures
nothing. So each table names, by Omniglot's alphabet and number, what is not used as foreign ink beside those labels.
Chosen by looking at the drawings; rather one too many than one too few. Data only.
"""

from __future__ import annotations

Table = dict[str, frozenset[int]]

DIGITS: Table = {
    "Latin": frozenset({2, 7, 12, 15, 17, 19, 26}),  # b g l o q s z
    "Greek": frozenset({9, 15, 18}),  # ι ο σ
    "Korean": frozenset({21, 22, 27, 33}),  # ㅣ ㄱ ㄹ ㅇ
}
DIGITS_AND_LATIN: Table = {
    "Greek": frozenset({1, 3, 5, 7, 9, 10, 13, 15, 17, 18, 19, 20, 22, 24}),  # α γ ε η ι κ ν ο ρ σ τ υ χ ω
    "Korean": frozenset({1, 5, 14, 21, 22, 24, 25, 27, 28, 33}),  # ㅏ ㅓ ㅜ ㅣ ㄱ ㄴ ㄷ ㄹ ㅁ ㅇ
    # イ ソ ト ナ ノ フ メ レ ロ ワ ヲ ン
    "Japanese_(katakana)": frozenset({2, 14, 19, 20, 24, 27, 33, 41, 42, 43, 46, 47}),
    "Early_Aramaic": frozenset({1, 2, 3, 4, 6, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 22}),
    "Balinese": frozenset({5, 14, 15}),
    "Sanskrit": frozenset({27, 37}),  # र उ
    "Tagalog": frozenset({3, 4, 16}),
}
KOREAN: Table = {
    "Latin": frozenset({3, 9, 12, 15, 18, 20, 26}),  # c i l o r t z
    "Greek": frozenset({9, 11, 15, 16, 18, 19}),  # ι λ ο π σ τ
    # ア イ ク ス ト ヌ ノ ヒ フ ヘ ヨ ラ レ ロ ヲ
    "Japanese_(katakana)": frozenset({1, 2, 8, 12, 19, 22, 24, 26, 27, 28, 37, 38, 41, 42, 46}),
    "Early_Aramaic": frozenset({3, 5, 8, 12, 16, 17}),
    "Tagalog": frozenset({4, 16}),
}

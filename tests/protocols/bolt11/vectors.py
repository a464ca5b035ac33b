"""The examples that BOLT 11 publishes, all signed with one key; see its section Examples."""

KEY = bytes.fromhex("e126f68f7eafcc8b74f54d269fe206be715000f94dac067d1c04a8ca3b2db734")
NODE = "03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad"
PAYMENT_HASH = "0001020304050607080900010203040506070809000102030405060708090102"
CAKE = (
    "One piece of chocolate cake, one icecream cone, one pickle, one slice of swiss cheese, one slice of salami, "
    "one lollypop, one piece of cherry pie, one sausage, one cupcake, and one slice of watermelon"
)

_HASH_FIELD = "pp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypq"
_CAKE_FIELD = "hp58yjmdan79s6qqdhdzgynm4zwqd5d7xmw5fk98klysy043l2ahrqs"
_SECRET_FIELD = "sp5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygs"

DONATION = (
    f"lnbc1pvjluez{_HASH_FIELD}dpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6twvus8g6rfwvs8qun0dfjkxaq"
    "8rkx3yf5tcsyz3d73gafnh3cax9rn449d9p5uxz9ezhhypd0elx87sjle52x86fux2ypatgddc6k63n7erqz25le42c4u4ecky03ylcqca784w"
)
COFFEE = (
    f"lnbc2500u1pvjluez{_HASH_FIELD}dq5xysxxatsyp3k7enxv4jsxqzpu"
    "aztrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspfj9srp"
)
NONSENSE = (
    f"lnbc2500u1pvjluez{_HASH_FIELD}dpquwpc4curk03c9wlrswe78q4eyqc7d8d0xqzpu"
    "yk0sg5g70me25alkluzd2x62aysf2pyy8edtjeevuv4p2d5p76r4zkmneet7uvyakky2zr4cusd45tftc9c5fh0nnqpnl2jfll544esqchsrny"
)
LIST = (
    f"lnbc20m1pvjluez{_HASH_FIELD}{_CAKE_FIELD}"
    "cc6gd6ql3jrc5yzme8v4ntcewwz5cnw92tz0pc8qcuufvq7khhr8wpald05e92xw006sq94mg8v2ndf4sefvf9sygkshp5zfem29trqq2yxxz7"
)
TESTNET_P2PKH = (
    f"lntb20m1pvjluez{_CAKE_FIELD}{_HASH_FIELD}fpp3x9et2e20v6pu37c5d9vax37wxq72un98"
    "kmzzhznpurw9sgl2v0nklu2g4d0keph5t7tj9tcqd8rexnd07ux4uv2cjvcqwaxgj7v4uwn5wmypjd5n69z2xm3xgksg28nwht7f6zspwp3f9t"
)
ROUTED = (
    f"lnbc20m1pvjluez{_HASH_FIELD}{_CAKE_FIELD}fpp3qjmp7lwpagxun9pygexvgpjdc4jdj85f"
    "r9yq20q82gphp2nflc7jtzrcazrra7wwgzxqc8u7754cdlpfrmccae92qgzqvzq2ps8pqqqqqqpqqqqq9qqqvpeuqafqxu92d8lr6fvg0r5gv0h"
    "eeeqgcrqlnm6jhphu9y00rrhy4grqszsvpcgpy9qqqqqqgqqqqq7qqzq"
    "j9n4evl6mr5aj9f58zp6fyjzup6ywn3x6sk8akg5v4tgn2q8g4fhx05wf6juaxu9760yp46454gpg5mtzgerlzezqcqvjnhjh8z3g2qqdhhwkj"
)
P2SH = (
    f"lnbc20m1pvjluez{_CAKE_FIELD}{_HASH_FIELD}fppj3a24vwu6r8ejrss3axul8rxldph2q7z9"
    "kmrgvr7xlaqm47apw3d48zm203kzcq357a4ls9al2ea73r8jcceyjtya6fu5wzzpe50zrge6ulk4nvjcpxlekvmxl6qcs9j3tz0469gq5g658y"
)
P2WPKH = (
    f"lnbc20m1pvjluez{_CAKE_FIELD}{_HASH_FIELD}fppqw508d6qejxtdg4y5r3zarvary0c5xw7k"
    "epvrhrm9s57hejg0p662ur5j5cr03890fa7k2pypgttmh4897d3raaq85a293e9jpuqwl0rnfuwzam7yr8e690nd2ypcq9hlkdwdvycqa0qza8"
)
P2WSH = (
    f"lnbc20m1pvjluez{_CAKE_FIELD}{_HASH_FIELD}fp4qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q"
    "28j0v3rwgy9pvjnd48ee2pl8xrpxysd5g44td63g6xcjcu003j3qe8878hluqlvl3km8rm92f5stamd3jw763n3hck0ct7p8wwj463cql26ava"
)
PICO = (
    "lnbc9678785340p1pwmna7lpp5gc3xfm08u9qy06djf8dfflhugl6p7lgza6dsjxq454gxhj9t7a0sd8dgfkx7cmtwd68yetpd5s9xar0wfjn5gp"
    "c8qhrsdfq24f5ggrxdaezqsnvda3kkum5wfjkzmfqf3jkgem9wgsyuctwdus9xgrcyqcjcgpzgfskx6eqf9hzqnteypzxz7fzypfhg6trddjhygr"
    "cyqezcgpzfysywmm5ypxxjemgw3hxjmn8yptk7untd9hxwg3q2d6xjcmtv4ezq7pqxgsxzmnyyqcjqmt0wfjjq6t5v4khxxqyjw5qcqp2rzjq0gx"
    "wkzc8w6323m55m4jyxcjwmy7stt9hwkwe2qxmy8zpsgg7jcuwz87fcqqeuqqqyqqqqlgqqqqn3qq9qn07ytgrxxzad9hc4xt3mawjjt8znfv8xzs"
    "cs7007v9gh9j569lencxa8xeujzkxs0uamak9aln6ez02uunw6rd2ht2sqe4hz8thcdagpleym0j"
)
BEANS = (
    f"lnbc25m1pvjluez{_HASH_FIELD}dq5vdhkven9v5sxyetpdees{_SECRET_FIELD}9q5sqqqqqqqqqqqqqqqpqsq"
    "67gye39hfg3zd8rgc80k32tvy9xk2xunwm5lzexnvpx6fd77en8qaq424dxgt56cag2dpt359k3ssyhetktkpqh24jqnjyw6uqd08sgptq44qu"
)
_WRONG_LENGTHS = [("pp", "n4"), ("hp", "n4"), ("sp", "n4"), ("np", "5k")]
_LENGTHS = {"n": 51, "4": 53, "5": 52, "k": 54}
_IGNORED_FIELDS = "".join(tag + size + "q" * _LENGTHS[size] for tag, sizes in _WRONG_LENGTHS for size in sizes)
IGNORED = (
    f"lnbc25m1pvjluez{_HASH_FIELD}dq5vdhkven9v5sxyetpdees{_SECRET_FIELD}9q5sqqqqqqqqqqqqqqqpqsq2qrqqqfppn{'q' * 32}"
    f"{_IGNORED_FIELDS}"
    "2jxxfsnucm4jf4zwtznpaxphce606fvhvje5x7d4gw7n73994hgs7nteqvenq8a4ml8aqtchv5d9pf7l558889hp4yyrqv6a7zpq9fgpskqhza"
)

VALID = {
    "donation": DONATION,
    "coffee": COFFEE,
    "nonsense": NONSENSE,
    "list": LIST,
    "testnet": TESTNET_P2PKH,
    "routed": ROUTED,
    "p2sh": P2SH,
    "p2wpkh": P2WPKH,
    "p2wsh": P2WSH,
    "pico": PICO,
    "beans": BEANS,
    "upper case": BEANS.upper(),
    "ignored fields": IGNORED,
}

INVALID = {
    "feature 100": (
        (
            f"lnbc25m1pvjluez{_HASH_FIELD}dq5vdhkven9v5sxyetpdees{_SECRET_FIELD}9q4psqqqqqqqqqqqqqqqpqsqq40wa3khl49yue3zsgm2"
            "6jrepqr2eghqlx86rttutve3ugd05em86nsefzh4pfurpd9ek9w2vp95zxqnfe2u7ckudyahsa52q66tgzcp6t2dyk"
        ),
        "feature 100",
    ),
    "checksum": (NONSENSE[:-1] + "t", "checksum"),
    "no separator": (NONSENSE.removeprefix("lnbc2500u1"), "separator"),
    "mixed case": ("LNBC2500u" + NONSENSE.removeprefix("lnbc2500u"), "mixed"),
    "not recoverable": (
        (
            f"lnbc2500u1pvjluez{_HASH_FIELD}dq5xysxxatsyp3k7enxv4jsxqzpuaxtrnwngzn3kdzw5hydlzf03qdgm2hdq27cqv3agm2awhz5se903"
            "vruatfhq77w3ls4evs3ch9zw97j25emudupq63nyw24cg27h2rspk28uwq"
        ),
        "signature",
    ),
    "too short": (
        f"lnbc1pvjluez{_HASH_FIELD}dpl2pkx2ctnv5sxxmmwwd5kgetjypeh2ursdae8g6na6hlh",
        "too short",
    ),
    "multiplier": (
        (
            f"lnbc2500x1pvjluez{_HASH_FIELD}dq5xysxxatsyp3k7enxv4jsxqzpujr6jxr9gq9pv6g46y7d20jfkegkg4gljz2ea2a3m9lmvvr95tq2s"
            "0kvu70u3axgelz3kyvtp2ywwt0y8hkx2869zq5dll9nelr83zzqqpgl2zg"
        ),
        "amount",
    ),
    "finer than msat": (
        (
            f"lnbc2500000001p1pvjluez{_HASH_FIELD}dq5xysxxatsyp3k7enxv4jsxqzpu7hqtk93pkf7sw55rdv4k9z2vj050rxdr6za9ekfs3nlt5l"
            "r89jqpdmxsmlj9urqumg0h9wzpqecw7th56tdms40p2ny9q4ddvjsedzcplva53s"
        ),
        "finer",
    ),
}

"""Which currencies there are: the codes of ISO 4217 that somebody can pay with.

Units of account, metals and codes for tests are left out, and so is money that was withdrawn. `Asset.of` still takes
any three letters, so that what was once sold in a currency reads for ever.
"""

from __future__ import annotations

CURRENCIES = frozenset(
    (  # noqa: SIM905 (a table of words)
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
        "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG "
        "HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL "
        "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR "
        "RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD "
        "TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"
    ).split()
)
"""A new one is one word here; a test compares them with those that CLDR knows to be in use."""


def is_currency(code: str) -> bool:
    """Whether a code is one of a currency in use, in capitals as ISO 4217 writes it."""
    return code in CURRENCIES

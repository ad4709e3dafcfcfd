"""What a maker's and a model's name say of the device that made a picture.

Scanners and all-in-one printers write their names as cameras and phones do, and several makers sell
both. A name that is told from neither says nothing.
"""

from __future__ import annotations

import re
from typing import Literal

Device = Literal["camera", "scanner", "unknown"]

SCANNER_MAKES = re.compile(
    r"epson|fujitsu|pfu\b|plustek|brother|kodak alaris|xerox|ricoh ?fi|kyocera|lexmark|avision"
    r"|konica minolta|kmbt|lanier|savin|toshiba|visioneer|microtek|mustek|regula|\bcontex\b"
    r"|\bpantum"
)
"""Makers of scanners, copiers and document readers that sell no cameras or phones of that name."""
SCANNER_MODELS = re.compile(
    r"scan|\bir[- ]?adv|\bir c?\d{4}|imagerunner|imageclass|\blide\b|\bmfp\b|\bmf\d{3}"
    r"|officejet|laserjet|deskjet|workcentre|bizhub|e-studio|\bsc1011\b|\bfi-\d{4}|perfection"
    r"|\bdr-[cgmp]?\d{3,4}|\bpixma\b|\bmx-?\d{4}|taskalfa|ecosys|aficio|\b(?:mp|im) c?\d{4}"
    r"|\b[a-z]{1,4}-?\d{3,4}[a-z]{0,3} series\b|\bcanon (?:canon )?(?:m[gpx]|t[sr])\d{3}"
    r"|\bpsc ?\d{3,4}|\bpst[a-z]\d{4}|photosmart (?:\w+ )?[bcd]?\d{4}|smart tank|\bink tank"
    r"|\benvy (?:\w+ )?\d{4}|\bscx-\d|\bclx-\d|\bkv-[a-z]?\d|kodak i\d{3,4}\b"
)
"""Models by which devices of Canon, HP, Kodak, Panasonic, Ricoh, Samsung or Sony are known to be
scanners, copiers or all-in-one printers. HP's cameras were Photosmarts with three digits."""
CAMERA_MAKES = re.compile(
    r"^(?:apple|samsung|google|huawei|honor|xiaomi|redmi|poco|oppo|realme|oneplus|vivo|iqoo"
    r"|motorola|lenovo|infinix|tecno|itel|nokia|hmd|sony|lge?|htc|asus|zte|nubia|meizu|tcl|alcatel"
    r"|blackberry|rim|wiko|doogee|ulefone|blackview|oukitel|cubot|umidigi|leagoo|coolpad|gionee"
    r"|letv|leeco|micromax|lava|symphony|walton|condor|fairphone|nothing|essential|general mobile"
    r"|casper|vestel|reeder|hisense|microsoft|amazon|palm|philips|siemens|acer|canon|nikon|olympus"
    r"|om digital|fuji|fujifilm|pentax|casio|leica|hasselblad|sigma|gopro|dji|minolta|polaroid"
    r"|vivitar|benq|sanyo|insta360)\b"
)
"""Makers of phones and cameras, hardly of scanners: a file that names one is theirs unless its
model is a scanner's."""


def device_of(make: str, model: str) -> Device:
    """What made the picture, by the names in its tags, in small letters."""
    named = f"{make} {model}"
    if SCANNER_MAKES.search(named) or SCANNER_MODELS.search(named):
        return "scanner"
    return "camera" if CAMERA_MAKES.search(named) else "unknown"

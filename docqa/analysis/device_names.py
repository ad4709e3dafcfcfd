"""What a maker's and a model's name say of the device that made a picture.

Scanners and all-in-one printers write their names as cameras and phones do, and several makers sell
both: their name alone says nothing.
"""

from __future__ import annotations

import re
from typing import Literal

Device = Literal["camera", "scanner", "either", "unknown"]

SCANNER_MAKES = re.compile(
    r"epson(?!.*(?:photopc|\br-d1|\bl-\d))|pfu\b|plustek|brother|kodak alaris|xerox|ricoh ?fi"
    r"|lexmark|avision|kmbt|lanier|savin|visioneer|regula|\bcontex\b|\bpantum"
)
"""Makers of scanners, copiers and document readers that sell no cameras or phones of that name;
Epson's few cameras are told by their models."""
MAKES_OF_BOTH = re.compile(r"fujitsu|kyocera|konica minolta|toshiba|microtek|mustek")
"""Makers of scanners and copiers, and of phones or cameras under the same name."""
SCANNER_MODELS = re.compile(
    r"scan|\bir[- ]?adv|\bir c?\d{4}|imagerunner|imageclass|\blide\b|\bmfp\b|\bmf\d{3}"
    r"|officejet|laserjet|deskjet|workcentre|bizhub|e-studio|\bsc1011\b|\bfi-\d{4}|perfection"
    r"|\bdr-[cgmp]?\d{3,4}|\bpixma\b|\bmx-?\d{4}|taskalfa|ecosys|aficio|\b(?:mp|im) c?\d{4}"
    r"|\b(?:fs|km)-c?\d{4}|bearpaw|\b[a-z]{1,4}-?\d{3,4}[a-z]{0,3} series\b"
    r"|\bcanon (?:canon )?(?:m[gpx]|t[sr])\d{3}|\bpsc ?\d{3,4}|\bpst[a-z]\d{4}"
    r"|photosmart (?:\w+ )?[bcd]?\d{4}|smart tank|\bink tank|\benvy (?:\w+ )?\d{4}"
    r"|\bscx-\d|\bclx-\d|\bkv-[a-z]?\d|kodak i\d{3,4}\b"
)
"""Models by which devices of makers of both, Canon, HP, Kodak, Panasonic, Ricoh and Samsung among
them, are known to be scanners, copiers or all-in-one printers. HP's Photosmart cameras have three
digits."""
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
    if MAKES_OF_BOTH.search(named):
        return "either"
    return "camera" if CAMERA_MAKES.search(named) else "unknown"

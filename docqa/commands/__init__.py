"""The commands of the command line, one file each; ``docqa.cli`` gathers them."""

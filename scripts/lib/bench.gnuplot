# SPDX-License-Identifier: GPL-2.0
# dir, out, kind, title and panels, the names of the tables in dir that have lines,
# come from scripts/bench.  A panel for each kind of figure: their scales differ.
n = words(panels)
rows = (n + 1) / 2
cols = n > 1 ? 2 : 1
w = 480 * cols
h = 60 + 280 * rows
if (kind eq "svg") set terminal svg noenhanced size w,h font "sans,13" background "#ffffff"
if (kind eq "png") set terminal pngcairo noenhanced size w,h font "sans,10" background "#ffffff"
set output out
set style data histogram
set style histogram errorbars gap 1.2 lw 1.2
set style fill solid 1.0 noborder
set boxwidth 0.9
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#dddddd" lw 1
# Bars, and the lines from the least to the most, in one colour of each kind.
set linetype 1 lc rgb "#9aa5b1"
set linetype 2 lc rgb "#1f6feb"
set errorbars 0.6 lc rgb "#333333"
set format y "%'.0f"
set key outside bottom center horizontal Left reverse samplen 1
set datafile separator "\t"
label(p) = p eq "faults" ? "page faults a second\nby faulting + mapping threads" : \
	p eq "maps" ? "mmap+munmap a second, beside the others" : \
	p eq "query" ? "move_pages(2) status queries of 64 pages a second\nby mapping threads" : \
	"UFFDIO_CONTINUE of a page a second\nby mapping threads"
set multiplot layout rows,cols title title font ",13" margins 0.1,0.98,0.12,0.86 spacing 0.1,0.24
do for [p in panels] {
	set title label(p) textcolor rgb "#333333"
	set yrange [*:*]
	stats dir."/".p.".tsv" using ($4 > $7 ? $4 : $7) nooutput
	set yrange [0:STATS_max * 1.05]
	plot dir."/".p.".tsv" using 2:3:4:xtic(1) title "unpatched" lt 1, \
	     "" using 5:6:7 title "with the series" lt 2
}
unset multiplot

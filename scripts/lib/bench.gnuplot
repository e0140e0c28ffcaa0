# SPDX-License-Identifier: GPL-2.0
# data, out, kind and title come from scripts/bench.
if (kind eq "svg") set terminal svg size 960,520 font "sans,13" background "#ffffff"
if (kind eq "png") set terminal pngcairo size 960,520 font "sans,11" background "#ffffff"
set output out
set title title font ",15" offset 0,0.5
set style data histogram
set style histogram errorbars gap 1.2 lw 1.2
set style fill solid 1.0 noborder
set boxwidth 0.9
set border 3 lc rgb "#666666"
set tics nomirror textcolor rgb "#333333"
set grid ytics lc rgb "#dddddd" lw 1
set ylabel "per second, more is better" textcolor rgb "#333333"
set format y "%'.0f"
set yrange [0:*]
set xtics rotate by -25
set key top right horizontal Left reverse
set datafile separator "\t"
plot data using 2:3:4:xtic(1) title "unpatched" lc rgb "#9aa5b1", \
     data using 5:6:7 title "with the series" lc rgb "#1f6feb"

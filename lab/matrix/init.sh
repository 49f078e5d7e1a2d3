#!/bin/busybox sh
# The first process of a guest: mounts, loads modules, runs the plan, says how that ended, goes off.
# Results leave through the second serial port; all else that is printed goes to the console.
bb() { /bin/busybox "$@"; }

bb mount -t devtmpfs devtmpfs /dev
bb mount -t proc proc /proc
bb mount -t sysfs sysfs /sys
bb mount -t tmpfs tmpfs /tmp
bb mount -t tracefs tracefs /sys/kernel/tracing 2>/dev/null
bb mount -t bpf bpf /sys/fs/bpf 2>/dev/null
results=/dev/ttyS1
bb stty -F $results raw -echo

for module in /modules/*.ko; do
	[ ! -e "$module" ] || bb insmod "$module"
done

code=0
if [ -e /work/plan.json ]; then
	# Debian's Python would look for packages elsewhere than others do, so they have a place of their own.
	export PYTHONHOME=/python PYTHONPATH=/work/python:/python/packages PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
	export HOME=/tmp GLIMPSE_JOURNAL=/tmp/journal OPENBLAS_NUM_THREADS=1 PATH=/sbin:/bin
	LD_LIBRARY_PATH=$(bb cat /etc/library-path)
	export LD_LIBRARY_PATH
	/python/bin/python -m lab.matrix.guest /work $results
	code=$?
else
	echo "glimpse-matrix start" >$results # asked only whether a guest starts at all
fi
echo "glimpse-matrix exit $code" >$results
bb poweroff -f

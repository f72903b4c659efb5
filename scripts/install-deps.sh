#!/usr/bin/env bash
# Installs what the native build needs (a C compiler, OpenBLAS, LAPACKE, FFTW)
# on Debian and Ubuntu, then compiles, links and runs a small C program the way
# the Go build does. Elsewhere it only checks, and says what to install.
# Where everything is there already it asks no package manager: it works offline.
set -euo pipefail

packages=(gcc libc6-dev libopenblas-dev liblapacke-dev libfftw3-dev)

say() { printf 'install-deps: %s\n' "$*"; }
warn() { say "$@" >&2; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

distribution() { # the words of ID and ID_LIKE, in a subshell: the file sets many names
	(
		# shellcheck disable=SC1091
		[ ! -r /etc/os-release ] || . /etc/os-release
		echo "${ID:-$(uname -s)} ${ID_LIKE:-}"
	)
}

missing_packages() {
	local p
	for p in "${packages[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then env "$@"; else sudo env "$@"; fi
}

apt_get() { # apt's own output is long: kept in a file, shown when it fails
	as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 "$@" >"$tmp/apt.log" 2>&1 </dev/null
}

has_candidates() { # every package has a version to install
	[ "$(LC_ALL=C apt-cache policy "$@" 2>/dev/null | grep -c '^  Candidate: [^(]')" -eq $# ]
}

install_debian() {
	local missing updated=
	mapfile -t missing < <(missing_packages)
	if [ ${#missing[@]} -eq 0 ]; then
		say "already installed: ${packages[*]}"
		return
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
		warn "to install ${missing[*]} this must run as root, or sudo must be there. As root:"
		warn "    apt-get update && apt-get install --no-install-recommends ${missing[*]}"
		exit 1
	fi
	if ! has_candidates "${missing[@]}"; then
		say "updating the package lists"
		apt_get update || { tail -n 20 "$tmp/apt.log" >&2; warn "apt-get update failed"; }
		updated=yes
	fi
	say "installing ${missing[*]}"
	apt_get install --no-install-recommends "${missing[@]}" && return
	if [ -z "$updated" ]; then # lists out of date name files that are gone
		say "that failed: updating the package lists and trying again"
		apt_get update && apt_get install --no-install-recommends "${missing[@]}" && return
	fi
	tail -n 20 "$tmp/apt.log" >&2
	warn "apt-get could not install ${missing[*]} (its last lines are above)"
	exit 1
}

advise() {
	cat <<-'END'
		install-deps: this script installs on Debian and Ubuntu only. The native build needs
		  a C compiler; OpenBLAS with cblas.h; LAPACKE with lapacke.h; FFTW 3 in double and
		  single precision with fftw3.h. Usual packages:
		    Fedora    gcc glibc-devel openblas-devel lapack-devel fftw-devel
		    Arch      gcc blas-openblas fftw
		    Alpine    gcc musl-dev openblas-dev lapack-dev fftw-dev
		    openSUSE  gcc glibc-devel openblas-devel lapacke-devel fftw3-devel
		    macOS     xcode-select --install; brew install openblas lapack fftw
		  Where a header or a library is not on the compiler's own path, tell Go and this check:
		    export CGO_CFLAGS=-I/usr/include/openblas                        (Fedora, for one)
		    export CGO_CFLAGS="-I$(brew --prefix openblas)/include -I$(brew --prefix fftw)/include"   (macOS)
		    export CGO_LDFLAGS="-L$(brew --prefix openblas)/lib -L$(brew --prefix lapack)/lib -L$(brew --prefix fftw)/lib"
		  Without them everything works in pure Go, slower: go build -tags=purego
		  Without FFTW alone, which is under the GPL: go build -tags=nofftw
	END
}

# The include lines and the libraries are those of native/native_cgo.go and
# fftw/fftw_native.go. Small whole numbers make every product exact in any order
# of summation; the sizes are past the blocks of the kernels. [3 0; 4 5] has the
# singular values sqrt(45) and sqrt(5). [1 2; 3 4] has the spectrum [10 -2; -4 0].
write_check() {
	cat >"$tmp/check.c" <<-'END'
		#include <fftw3.h> /* before the others, which include complex.h: its complex numbers are arrays then, as in Go's build */
		#include <cblas.h>
		#include <lapacke.h>
		#include <math.h>
		#include <stdio.h>
		enum { N = 150 };
		static double a[N * N], b[N * N], c[N * N];
		static float af[N * N], bf[N * N], cf[N * N];
		int main(void) {
			for (int i = 0; i < N * N; i++) {
				af[i] = a[i] = i * 7 % 11 - 5;
				bf[i] = b[i] = i * 5 % 13 - 6;
			}
			cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, a, N, b, N, 0, c, N);
			cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, N, N, N, 1, af, N, bf, N, 0, cf, N);
			int bad = 0;
			for (int i = 0; i < N; i++)
				for (int j = 0; j < N; j++) {
					double sum = 0;
					for (int k = 0; k < N; k++) sum += a[i * N + k] * b[j * N + k];
					bad += c[i * N + j] != sum || cf[i * N + j] != (float)sum;
				}
			if (bad) printf("a product has %d wrong entries of %d\n", bad, N * N);
			double m[4] = {3, 4, 0, 5}, s[2] = {0, 0}, u[4], vt[4], work[256];
			lapack_int iwork[16];
			lapack_int info = LAPACKE_dgesdd_work(LAPACK_COL_MAJOR, 'S', 2, 2, m, 2, s, u, 2, vt, 2, work, 256, iwork);
			int wrong = info != 0 || !(fabs(s[0] - sqrt(45)) < 1e-13) || !(fabs(s[1] - sqrt(5)) < 1e-13);
			if (wrong) printf("DGESDD: info %d, singular values %.17g %.17g\n", (int)info, s[0], s[1]);
			double x[4] = {1, 2, 3, 4};
			float xf[4] = {1, 2, 3, 4};
			fftw_complex y[4];
			fftwf_complex yf[4];
			fftw_plan p = fftw_plan_dft_r2c_2d(2, 2, x, y, FFTW_ESTIMATE);
			fftwf_plan pf = fftwf_plan_dft_r2c_2d(2, 2, xf, yf, FFTW_ESTIMATE);
			int unlike = !p || !pf;
			if (!unlike) {
				const double spectrum[4] = {10, -2, -4, 0};
				fftw_execute(p);
				fftwf_execute(pf);
				for (int i = 0; i < 4; i++)
					unlike += y[i][0] != spectrum[i] || y[i][1] != 0 || yf[i][0] != spectrum[i] || yf[i][1] != 0;
				fftw_destroy_plan(p);
				fftwf_destroy_plan(pf);
			}
			if (unlike) printf("%s: a transform of 2 x 2 is wrong\n", fftw_version);
			lapack_int major, minor, patch;
			LAPACKE_ilaver(&major, &minor, &patch);
			printf("%s (core %s, %d threads), LAPACK %d.%d.%d, %s", openblas_get_config(), openblas_get_corename(),
				openblas_get_num_threads(), (int)major, (int)minor, (int)patch, fftw_version);
			return bad || wrong || unlike;
		}
	END
}

check() {
	local cc=${CC:-gcc} flags=() ldflags=() libs=(-llapacke -lopenblas -lfftw3 -lfftw3f)
	# As cgo does, where they are set; nothing needs them on Debian.
	read -r -a flags <<<"${CGO_CPPFLAGS:-} ${CGO_CFLAGS:-}"
	read -r -a ldflags <<<"${CGO_LDFLAGS:-}"
	if ! command -v "${cc%% *}" >/dev/null; then
		warn "no C compiler: $cc not found"
		return 1
	fi
	write_check
	# -lm is the check's own, for sqrt; cgo treats an undeclared name as an error too.
	# shellcheck disable=SC2086
	if ! $cc -Werror=implicit-function-declaration ${flags[@]+"${flags[@]}"} -o "$tmp/check" "$tmp/check.c" \
		${ldflags[@]+"${ldflags[@]}"} "${libs[@]}" -lm >"$tmp/cc.log" 2>&1; then
		head -n 20 "$tmp/cc.log" >&2
		warn "a program with cblas.h, lapacke.h, fftw3.h and ${libs[*]} does not compile or link (above)."
		if grep -q openblas_ "$tmp/cc.log"; then
			warn "cblas.h is another BLAS's. On Debian, as root: update-alternatives --auto libblas.so-$(gcc -print-multiarch)"
		fi
		return 1
	fi
	if ! "$tmp/check" >"$tmp/out"; then
		cat "$tmp/out" >&2
		echo >&2
		warn "the library that answered computes wrong numbers, or crashed. Loaded were:"
		ldd "$tmp/check" 2>/dev/null | grep -iE 'blas|lapack|fftw' | while read -r _ _ path _; do readlink -f "$path"; done >&2 || true
		warn "If that is not OpenBLAS: (Debian) update-alternatives --get-selections | grep -E 'blas|lapack'"
		warn "If it is: its kernels do not suit this CPU; try another with OPENBLAS_CORETYPE, such as Haswell"
		return 1
	fi
	say "$(cat "$tmp/out") answered: compiled, linked and computed right"
}

case " $(distribution) " in
*" debian "* | *" ubuntu "*) install_debian ;;
*)
	advise
	failed="install the libraries named above and run this again"
	;;
esac
if ! check; then
	warn "the check failed${failed:+: $failed}"
	exit 1
fi
if ! command -v go >/dev/null; then
	needed=$(sed -n 's/^go //p' "$(dirname "$0")/../go.mod" 2>/dev/null) || true
	warn "note: go was not found on PATH; building needs Go ${needed:-1.25} or later"
fi

dnl What configure asks about httpd and the libraries. Whatever is missing is one line that names the package.

m4_ifndef([PKG_PROG_PKG_CONFIG],
    [m4_fatal([pkg.m4 not found: install pkg-config (Debian) or pkgconf-pkg-config (RHEL)])])

dnl MSD_MISSING(what, Debian package, RHEL package)
AC_DEFUN([MSD_MISSING], [AC_MSG_ERROR([$1 not found: install $2 (Debian) or $3 (RHEL)])])

dnl MSD_APXS: APXS, and from it the directories and preprocessor flags of httpd and APR.
AC_DEFUN([MSD_APXS], [
AC_ARG_WITH([apxs],
    [AS_HELP_STRING([--with-apxs=PATH], [apxs of the httpd to build for (default: the one in PATH)])],
    [], [with_apxs=yes])
AS_CASE([$with_apxs],
    [yes], [AC_PATH_PROGS([APXS], [apxs apxs2], [],
        [$PATH:/usr/sbin:/usr/local/bin:/usr/local/sbin:/usr/local/apache2/bin])],
    [no], [AC_MSG_ERROR([an httpd module can't be built without apxs: leave out --without-apxs])],
    [APXS=$with_apxs])
AC_SUBST([APXS])
AS_IF([test -z "$APXS"], [MSD_MISSING([apxs], [apache2-dev], [httpd-devel])])
AS_IF([test ! -x "$APXS" || test -z "`$APXS -q INCLUDEDIR 2>/dev/null`"],
    [AC_MSG_ERROR([$APXS is not a working apxs: give its path, --with-apxs=PATH])])
msd_apr=`$APXS -q APR_CONFIG 2>/dev/null`
msd_apu=`$APXS -q APU_CONFIG 2>/dev/null`
AS_IF([test ! -x "$msd_apr"], [MSD_MISSING([apr-1-config], [libapr1-dev], [apr-devel])])
AS_IF([test ! -x "$msd_apu"], [MSD_MISSING([apu-1-config], [libaprutil1-dev], [apr-util-devel])])
HTTPD_CFLAGS="-I`$APXS -q INCLUDEDIR`"
HTTPD_PROGRAM="`$APXS -q SBINDIR`/`$APXS -q PROGNAME`"
APR_CFLAGS="`$msd_apr --cppflags` `$msd_apr --includes` `$msd_apu --includes`"
APR_LIBS="`$msd_apu --link-ld` `$msd_apr --link-ld --libs`"
AC_SUBST([HTTPD_CFLAGS])
AC_SUBST([HTTPD_PROGRAM])
AC_SUBST([APR_CFLAGS])
AC_SUBST([APR_LIBS])
msd_cc_was_set=${CC+yes}
msd_cflags_were_set=${CFLAGS+yes}
AS_IF([test -z "$msd_cc_was_set"], [
    msd_cc=`$APXS -q CC 2>/dev/null`
    set dummy $msd_cc
    AS_IF([command -v "$[]2" >/dev/null 2>&1], [CC=$msd_cc])])
])

dnl MSD_APXS_CFLAGS: httpd's own CFLAGS are the default of ours, where this compiler takes them (RHEL's name files of
dnl redhat-rpm-config that need not be there).
AC_DEFUN([MSD_APXS_CFLAGS], [
AC_REQUIRE([AC_PROG_CC])
AS_IF([test -z "$msd_cflags_were_set"], [
    msd_plain_cflags=$CFLAGS
    msd_plain_cppflags=$CPPFLAGS
    CFLAGS=`$APXS -q CFLAGS`
    CPPFLAGS="$CPPFLAGS `$APXS -q CPPFLAGS 2>/dev/null`"
    AC_MSG_CHECKING([whether the compiler takes the flags httpd was built with])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no, using $msd_plain_cflags])
         CFLAGS=$msd_plain_cflags
         CPPFLAGS=$msd_plain_cppflags])])
])

dnl MSD_HEADERS(what, includes, condition of the preprocessor, what to do otherwise): whether headers have what is used.
AC_DEFUN([MSD_HEADERS], [
AC_MSG_CHECKING([for $1])
AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
$2
#if !($3)
#error "too old"
#endif
]])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     $4])
])

dnl MSD_TOO_OLD(what is needed, for what, how to ask for the version that is there)
AC_DEFUN([MSD_TOO_OLD], [
msd_found=`$3 2>/dev/null`
AC_MSG_ERROR([$1 or newer is needed, for $2; this is ${msd_found:-older}. docs/install.md says which systems have it])])

dnl MSD_HTTPD: the headers are those of an httpd with mod_session and of an APR that have what is used.
AC_DEFUN([MSD_HTTPD], [
msd_save_cppflags=$CPPFLAGS
CPPFLAGS="$CPPFLAGS $HTTPD_CFLAGS $APR_CFLAGS"
MSD_HEADERS([mod_session.h], [#include <httpd.h>
#include <mod_session.h>], [1],
    [MSD_MISSING([httpd 2.4 with mod_session.h], [apache2-dev], [httpd-devel])])
MSD_HEADERS([APR 1.7 or newer], [#include <apr_version.h>], [APR_VERSION_AT_LEAST(1, 7, 0)],
    [MSD_TOO_OLD([APR 1.7], [apr_encode.h], [$msd_apr --version])])
MSD_HEADERS([httpd 2.4.49 or newer], [#include <ap_mmn.h>], [AP_MODULE_MAGIC_AT_LEAST(20120211, 110)],
    [MSD_TOO_OLD([httpd 2.4.49], [the hook child_stopping], [$APXS -q HTTPD_VERSION])])
CPPFLAGS=$msd_save_cppflags
])

dnl MSD_MOD_SESSION: the module that ours is a store of. Not needed for building, hence no error.
AC_DEFUN([MSD_MOD_SESSION], [
msd_modules=`$APXS -q LIBEXECDIR`
AS_IF([test ! -e "$msd_modules/mod_session.so" && ! "$HTTPD_PROGRAM" -l 2>/dev/null | grep mod_session.c >/dev/null],
    [AC_MSG_WARN([no mod_session.so in $msd_modules: httpd needs it (a package of its own on RHEL: mod_session)])])
])

dnl MSD_PKG(variable, pkg-config name, version, what to call it, Debian package, RHEL package)
AC_DEFUN([MSD_PKG], [
AC_REQUIRE([PKG_PROG_PKG_CONFIG])
AS_IF([test -z "$PKG_CONFIG"], [MSD_MISSING([pkg-config], [pkg-config], [pkgconf-pkg-config])])
PKG_CHECK_MODULES([$1], [$2 >= $3], [], [MSD_MISSING([$4 $3 or newer], [$5], [$6])])
])

/* Capacity units and prices, by DynamoDB's rules for the calls that the module makes. */

#include <string.h>

#include <apr_strings.h>

#include "commands.h"

/* US East (N. Virginia), on demand, table class Standard, US dollars for a million units: since 1 November 2024, and as
 * an article of 21 July 2025 has them (https://airbyte.com/data-engineering-resources/dynamodb-pricing). AWS's own page
 * fills its numbers in for each region: https://aws.amazon.com/dynamodb/pricing/on-demand/ */
#define PRICED_REGION "us-east-1"
#define READ_PRICE    0.125
#define WRITE_PRICE   0.625
#define PRICED_AS_OF  PRICED_REGION ", July 2025; current prices: https://aws.amazon.com/dynamodb/pricing/"
#define CURRENCY      "US dollars"

/** Units that all requests together take. */
typedef struct units_t {
    double read, write;
} units_t;

static double blocks(apr_int64_t size, apr_int64_t block)
{
    /* NOLINTNEXTLINE(bugprone-integer-division): whole blocks, rounded up. */
    return size > block ? (double)((size + block - 1) / block) : 1;
}

/* A request that reads costs a read; one that changes a read and a write; one whose activity is recorded a write more.
 * A write counts by the size of the whole row, whatever it changes. */
static units_t work_out(const options_t *o)
{
    double read = blocks(o->size, 4096) / (o->eventual ? 2 : 1), write = blocks(o->size, 1024);
    double n = (double)o->requests / 100;
    units_t u = { .read = n * (o->read_only + o->changed) * read,
                  .write = n * (o->changed + o->read_only * o->touched / 100) * write };

    return u;
}

/* 1 when the prices are known, from the options or for the region. */
static int find_prices(options_t *o, apr_pool_t *p)
{
    ddb_endpoint_opts_t where = { .region = o->region, .table = o->table, .profile = o->profile };
    ddb_endpoint_t endpoint;
    ddb_error_t err = { 0 };

    if (o->read_price < 0 && o->write_price < 0 && ddb_endpoint_resolve(&endpoint, &where, p, &err) == APR_SUCCESS
        && strcmp(endpoint.region, PRICED_REGION) == 0) {
        o->read_price = READ_PRICE;
        o->write_price = WRITE_PRICE;
    }
    return o->read_price >= 0 && o->write_price >= 0;
}

static const char *find_shares(options_t *o)
{
    if (o->changed < 0) {
        o->changed = o->read_only < 0 ? 10 : 100 - o->read_only;
    }
    if (o->read_only < 0) {
        o->read_only = 100 - o->changed;
    }
    return o->read_only + o->changed > 100 ? "--read-only and --changed exceed 100 percent together"
           : o->size > 400 * 1024          ? "--size: DynamoDB rows are limited to 409600 bytes"
                                           : NULL;
}

static void say_model(const options_t *o, report_t *r)
{
    report_number(r, "requests", "requests", (double)o->requests);
    report_number(r, "read_only_percent", "read the session (%)", o->read_only);
    report_number(r, "changed_percent", "change it (%)", o->changed);
    report_number(r, "touched_percent", "of those that read it, record activity (%)", o->touched);
    report_number(r, "row_bytes", "row (bytes)", (double)o->size);
}

/* The currency of the prices in the options is unknown. */
static const char *label(const char *what, int ours, apr_pool_t *p)
{
    return apr_pstrcat(p, what, " (", ours ? CURRENCY : "in the currency of the prices given", ")", NULL);
}

static void say_prices(const options_t *o, const units_t *u, int ours, report_t *r)
{
    double price = (u->read * o->read_price + u->write * o->write_price) / 1e6;

    report_number(r, "read_price", label("price of a million read units", ours, r->pool), o->read_price);
    report_number(r, "write_price", label("price of a million write units", ours, r->pool), o->write_price);
    report_number(r, "price", label("price", ours, r->pool), price);
    report_number(r, "price_per_million", label("price of a million requests", ours, r->pool),
                  o->requests ? price * 1e6 / (double)o->requests : 0);
    if (ours) {
        report_text(r, "currency", NULL, "USD");
        report_text(r, "note", "prices of", PRICED_AS_OF);
    }
}

exit_e cost_print(const options_t *given, report_t *r, apr_pool_t *p)
{
    options_t o = *given;
    const char *wrong = find_shares(&o);
    units_t u;

    if (wrong) {
        return report_usage(r, wrong);
    }
    if (!find_prices(&o, p) && (o.read_price >= 0 || o.write_price >= 0)) {
        return report_usage(r, "--read-price and --write-price must be given together");
    }
    u = work_out(&o);
    say_model(&o, r);
    report_number(r, "read_units", "read request units", u.read);
    report_number(r, "write_units", "write request units", u.write);
    if (o.read_price >= 0) {
        say_prices(&o, &u, given->read_price < 0, r);
    }
    else {
        report_text(r, "note", "price",
                    "known only for " PRICED_REGION ": give --read-price and --write-price per million units "
                    "(https://aws.amazon.com/dynamodb/pricing/on-demand/)");
    }
    return EXIT_GOOD;
}

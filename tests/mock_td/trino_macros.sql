-- Trino's functions in DuckDB's words: what trino_functions.py calls. typeof() is known before anything runs, so of
-- a CASE of types one branch is left.

-- Lets the query fail with these words. error() does so too, but nothing that might call it may order a window.
CREATE MACRO main.trino_error(message) AS CAST(CAST('Trino: ' || message AS INTEGER) AS VARCHAR);

-- A number as Trino writes it, from DuckDB's text of it: 1700000000.5 is 1.7000000005E9, 1e-07 is 1.0E-7.
-- A list of one is how a macro says a long expression once.
CREATE MACRO main.trino_digits(sign, digits, exponent) AS CASE
  WHEN digits = '' THEN sign || '0E0'
  ELSE sign || digits[1] || '.' || coalesce(nullif(rtrim(substr(digits, 2), '0'), ''), '0') || 'E' || exponent
END;

CREATE MACRO main.trino_scientific(sign, whole, fraction, exponent) AS list_transform(
  [ltrim(whole || fraction, '0')],
  LAMBDA d : main.trino_digits(sign, d, length(d) - length(fraction) - 1 + exponent)
)[1];

CREATE MACRO main.trino_number(number) AS list_transform([number], LAMBDA t : CASE
  WHEN t = 'nan' THEN 'NaN'
  WHEN t LIKE '%inf' THEN replace(t, 'inf', 'Infinity')
  ELSE main.trino_scientific(
    CASE WHEN t LIKE '-%' THEN '-' ELSE '' END,
    split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 1),
    split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 2),
    CAST(coalesce(nullif(split_part(ltrim(t, '-'), 'e', 2), ''), '0') AS INTEGER)
  )
END)[1];

CREATE MACRO main.trino_text(x) AS list_transform([x], LAMBDA v : CASE typeof(v)
  WHEN 'DOUBLE' THEN main.trino_number(CAST(v AS VARCHAR))
  WHEN 'FLOAT' THEN main.trino_number(format('{:.6e}', TRY_CAST(CAST(v AS VARCHAR) AS DOUBLE)))
  WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
  WHEN 'TIMESTAMP WITH TIME ZONE'
    THEN strftime(TRY_CAST(CAST(v AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g UTC')
  WHEN 'JSON' THEN main.trino_error('the mock TD casts no JSON to varchar: json_format and json_extract_scalar give text')
  ELSE CAST(v AS VARCHAR)
END)[1];

-- Casts: a text must look as Trino wants it, a double is rounded away from zero.
CREATE MACRO main.trino_casts(x, pattern) AS
  typeof(x) <> 'VARCHAR' OR x IS NULL OR regexp_full_match(CAST(x AS VARCHAR), pattern);

CREATE MACRO main.trino_refusal(x, kind) AS
  main.trino_error('Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || kind);

CREATE MACRO main.trino_rounded(x) AS CASE
  WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(CAST(x AS DOUBLE)) AS BIGINT)
  ELSE CAST(x AS BIGINT)
END;

CREATE MACRO main.trino_rounded_or_null(x) AS CASE
  WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
  ELSE TRY_CAST(x AS BIGINT)
END;

-- Texts.
-- An array of what has another text on Trino is refused, as one that has not is joined ten times as fast so.
CREATE MACRO main.trino_joins(list) AS NOT regexp_matches(typeof(list), '^(DOUBLE|FLOAT|TIMESTAMP)');

CREATE MACRO main.trino_array_join(list, separator) AS CASE
  WHEN main.trino_joins(list) THEN array_to_string(list, separator)
  ELSE main.trino_error('array_join of ' || typeof(list) || ' is unknown to the mock TD: cast to varchar first')
END;

CREATE MACRO main.trino_array_join_all(list, separator, instead) AS CASE
  WHEN main.trino_joins(list)
    THEN array_to_string(list_transform(list, LAMBDA x : coalesce(CAST(x AS VARCHAR), instead)), separator)
  ELSE main.trino_error('array_join of ' || typeof(list) || ' is unknown to the mock TD: cast to varchar first')
END;

CREATE MACRO main.trino_split_part(t, separator, n) AS CASE
  WHEN n < 1 THEN main.trino_error('Index must be greater than zero')
  ELSE list_extract(string_split(t, separator), n)
END;

CREATE MACRO main.trino_substr(t, first) AS CASE
  WHEN first = 0 OR first < -length(t) THEN ''
  ELSE substring(t, first)
END;

CREATE MACRO main.trino_substr_of(t, first, size) AS CASE
  WHEN first = 0 OR first < -length(t) OR size < 1 THEN ''
  ELSE substring(t, first, size)
END;

CREATE MACRO main.trino_regexp_extract(t, pattern, n) AS CASE
  WHEN regexp_matches(t, pattern) THEN regexp_extract(t, pattern, n)
END;

-- JSON.
CREATE MACRO main.trino_json_format(x) AS CASE
  WHEN typeof(x) = 'JSON' THEN CAST(x AS VARCHAR)
  ELSE main.trino_error('Unexpected parameters for function json_format. Expected: json_format(json)')
END;

CREATE MACRO main.trino_has_a_scalar(t, path) AS json_valid(t) AND json_type(t, path) NOT IN ('OBJECT', 'ARRAY');

-- Arrays.
CREATE MACRO main.trino_sequence(first, last, step) AS CASE
  WHEN step = 0 THEN error('step must not be zero')
  WHEN sign(CAST(last AS HUGEINT) - first) * sign(step) < 0 THEN error(
    'sequence stop value should be greater than or equal to start value if step is greater than zero '
    || 'otherwise stop should be less than or equal to start'
  )
  WHEN (CAST(last AS HUGEINT) - first) // step >= 10000
    THEN error('result of sequence function must not have more than 10000 entries')
  ELSE generate_series(CAST(first AS BIGINT), CAST(last AS BIGINT), CAST(step AS BIGINT))
END;

CREATE MACRO main.trino_sequence_by_one(first, last) AS
  main.trino_sequence(first, last, CASE WHEN last < first THEN -1 ELSE 1 END);

//! The bucket of a text: seeded chance as a number. What is printed for other engines sums up digits of `sha256` instead, with
//! the same answer.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::Int64Array;
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use muster_language::hidden;
use sha2::{Digest, Sha256};

/// The function.
pub(crate) fn bucket() -> ScalarUDF {
    ScalarUDF::new_from_impl(Bucket { signature: Signature::any(2, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bucket {
    signature: Signature,
}

impl ScalarUDFImpl for Bucket {
    fn name(&self) -> &str {
        hidden::BUCKET
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let internal = || DataFusionError::Internal("a bucket of no number".to_owned());
        let [texts, buckets] = args.args.as_slice() else { return Err(internal()) };
        let ColumnarValue::Scalar(ScalarValue::Int64(Some(buckets))) = buckets else { return Err(internal()) };
        let buckets = u64::try_from(*buckets).ok().filter(|buckets| *buckets > 0).ok_or_else(internal)?;
        let texts = cast(&texts.to_array(args.number_rows)?, &DataType::Utf8View)?;
        let of_text = |text: &str| {
            let digest = Sha256::digest(text);
            let first = digest.first_chunk().expect("a digest has 32 bytes");
            // Below the number of buckets, which is one of eight bytes with a sign.
            (u64::from_be_bytes(*first) % buckets).cast_signed()
        };
        let numbers = texts.as_string_view().iter().map(|text| text.map(of_text));
        Ok(ColumnarValue::Array(Arc::new(numbers.collect::<Int64Array>())))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::StringViewArray;
    use arrow_array::types::Int64Type;
    use arrow_schema::Field;
    use datafusion::config::ConfigOptions;

    use super::*;

    /// SHA-256 of `abc` begins with ba7816bf8f01cfea.
    #[test]
    fn it_is_the_remainder_of_the_first_eight_bytes() {
        let number = 0xba78_16bf_8f01_cfea_u64;
        for buckets in [1_i64, 10, 1_000, 1 << 55] {
            let texts = Arc::new(StringViewArray::from(vec![Some("abc"), None]));
            let arguments = ScalarFunctionArgs {
                args: vec![ColumnarValue::Array(texts), ColumnarValue::Scalar(ScalarValue::Int64(Some(buckets)))],
                arg_fields: Vec::new(),
                number_rows: 2,
                return_field: Arc::new(Field::new("bucket", DataType::Int64, true)),
                config_options: Arc::new(ConfigOptions::default()),
            };
            let found = bucket().invoke_with_args(arguments).unwrap().to_array(2).unwrap();
            let expected = Int64Array::from(vec![Some((number % buckets as u64) as i64), None]);
            assert_eq!(found.as_primitive::<Int64Type>(), &expected, "{buckets}");
        }
    }
}

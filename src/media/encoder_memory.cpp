#include "media/encoding.h"
namespace millstream {
std::uint64_t encoder_memory(const EncoderSettings&) { return 0; }
int encoder_delay(const EncoderSettings&) { return 0; }
double predicted_video_bytes_per_s(const EncoderSettings&) { return 0; }
void fit_into_memory(EncoderSettings&, std::uint64_t, std::vector<std::string>&) {}
}

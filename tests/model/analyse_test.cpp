#include "model/analyse.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "millstream/error.h"
#include "model/executor.h"
#include "model/networks.h"
#include "model/test_picture.h"

namespace millstream {
namespace {

using testing::HasSubstr;

TEST(Analyse, knows_the_identity) {
    const Network network = identity_network();
    EXPECT_EQ(network.scale, 1);
    EXPECT_EQ(network.receptive_radius, 0);
    EXPECT_EQ(network.alignment, 1);
    EXPECT_EQ(network.macs_per_pixel, 0);
    EXPECT_EQ(network.weight_bytes, 0U);
    EXPECT_EQ(activation_bytes_per_pixel(network, Precision::fp32), 4 * (3 + 3));   // the picture and its copy
}

TEST(Analyse, adds_up_convolutions) {
    Network network = chain({conv(3, 8, 3), prelu(8), conv(8, 12, 5), shuffle(2)});
    analyse(network, "test");
    EXPECT_EQ(network.scale, 2);
    EXPECT_EQ(network.receptive_radius, 1 + 2);
    EXPECT_EQ(network.macs_per_pixel, 3 * 8 * 9 + 8 * 12 * 25);
    EXPECT_EQ(activation_bytes_per_pixel(network, Precision::fp32), 4 * (12 + 12));   // the shuffle's input and output
}

// Note [Receptive radius]: two output pixels a cell, made of pixels -1..4 of the x4 picture, that is of cells -1..1.
TEST(Analyse, counts_the_bicubic_end_of_animevideo_exactly) {
    Network four = chain({conv(3, 48, 3), shuffle(4)});
    analyse(four, "test");
    EXPECT_EQ(four.receptive_radius, 1);
    Network two = chain({conv(3, 48, 3), shuffle(4), resize(1, 2, InterpolateMode::bicubic)});
    analyse(two, "test");
    EXPECT_EQ(two.scale, 2);
    EXPECT_EQ(two.receptive_radius, 2);
    Network nearest = chain({conv(3, 48, 3), shuffle(4), resize(1, 2, InterpolateMode::nearest)});
    analyse(nearest, "test");
    EXPECT_EQ(nearest.receptive_radius, 1);
    Network linear = chain({conv(3, 48, 3), shuffle(4), resize(1, 2, InterpolateMode::bilinear)});
    analyse(linear, "test");
    EXPECT_EQ(linear.receptive_radius, 1);   // pixels 0..3: the cell's own
}

TEST(Analyse, knows_networks_that_shrink_first) {
    Network network = chain({conv(3, 8, 2, 2, 0), conv(8, 48, 3), shuffle(4)});
    analyse(network, "test");
    EXPECT_EQ(network.scale, 2);
    EXPECT_EQ(network.alignment, 2);
    EXPECT_EQ(network.receptive_radius, 2);   // one cell of two pixels
}

TEST(Analyse, knows_unpadded_networks_with_a_border) {
    Network network = chain({border(Op::pad, 3), conv(3, 3, 3, 1, 0), conv(3, 3, 3, 1, 0), border(Op::crop, 1)});
    analyse(network, "test");
    EXPECT_EQ(network.scale, 1);
    EXPECT_EQ(network.receptive_radius, 2);
}

TEST(Analyse, follows_transposed_convolutions) {
    Network network = chain({deconv(3, 3, 4, 2, 1)});
    analyse(network, "test");
    EXPECT_EQ(network.scale, 2);
    EXPECT_EQ(network.receptive_radius, 1);
}

// The definition itself, tried out: with every weight positive, changing one input pixel changes outputs up to R away
// and none beyond.
TEST(Analyse, radius_is_how_far_a_pixel_reaches) {
    struct Case {
        const char* name;
        Network network;
    };
    for (Case c : {Case{"conv", chain({conv(3, 4, 3), conv(4, 3, 5)})},
                   Case{"x2 by bicubic", chain({conv(3, 48, 3), shuffle(4), resize(1, 2, InterpolateMode::bicubic)})},
                   Case{"x3 by bicubic", chain({conv(3, 48, 3), shuffle(4), resize(3, 4, InterpolateMode::bicubic)})},
                   Case{"x3/2 of x2", chain({conv(3, 12, 3), shuffle(2), resize(3, 2, InterpolateMode::bilinear)})},
                   Case{"shrinking", chain({conv(3, 4, 2, 2, 0), conv(4, 48, 3), shuffle(4)})},
                   Case{"transposed", chain({conv(3, 4, 3), deconv(4, 3, 4, 2, 1)})},
                   Case{"bordered", chain({border(Op::pad, 4), conv(3, 3, 5, 1, 0), border(Op::crop, 2)})}}) {
        analyse(c.network, c.name);
        const Network& network = c.network;
        ExecutorSettings settings;
        settings.backend = Backend::torch;
        settings.precision = Precision::fp32;
        const auto executor = make_executor(network, settings);
        const int side = 8 * network.alignment + 4 * network.receptive_radius;
        at::Tensor picture = test_picture(side, side);
        const at::Tensor before = run_once(*executor, network, picture);
        // Change every column of one cell, in the middle, and see which output cells differ.
        const int cell = network.alignment;
        const int changed = side / 2 / cell * cell;
        picture = picture.clone();
        picture.narrow(3, changed, cell).add_(0.25);
        const at::Tensor after = run_once(*executor, network, picture);
        int reach = 0;
        for (int x = 0; x < side; x += cell) {
            const int width = cell * network.scale;
            if (!before.narrow(3, x * network.scale, width).equal(after.narrow(3, x * network.scale, width))) {
                // Input pixel `changed + cell - 1` or `changed` is how far from the cell [x, x + cell)?
                reach = std::max(reach, x < changed ? changed - x - cell + 1 : x - (changed + cell - 1));
            }
        }
        EXPECT_LE(reach, network.receptive_radius) << c.name;
        EXPECT_GT(reach + cell, network.receptive_radius) << c.name;   // to within the cell that was changed as a whole
    }
}

TEST(Analyse, counts_what_is_alive_at_once) {
    // A long jump keeps the first features alive all the way.
    Network network = chain({conv(3, 16, 3), conv(16, 16, 3), conv(16, 16, 3)});
    network.nodes.push_back(add(1, 3));
    network.nodes.push_back(conv(16, 3, 3));
    network.nodes.back().inputs = {4};
    network.output = 5;
    analyse(network, "test");
    EXPECT_EQ(activation_bytes_per_pixel(network, Precision::fp32), 4 * 3 * 16);
}

// In bf16 the picture-sized end of the network is fp32, and that is where most bytes are alive.
TEST(Analyse, counts_bytes_by_the_precision_of_each_layer) {
    Network network = chain({conv(3, 64, 3), conv(64, 64, 3), conv(64, 64, 3), conv(64, 48, 3), shuffle(4)});
    Node repeat = resize(4, 1, InterpolateMode::nearest);
    repeat.inputs = {0};
    network.nodes.push_back(repeat);
    network.nodes.push_back(add(5, 6));
    network.output = 7;
    analyse(network, "test");
    EXPECT_EQ(activation_bytes_per_pixel(network, Precision::fp32), 4 * 3 * 48);   // the sum and what it adds
    EXPECT_EQ(activation_bytes_per_pixel(network, Precision::bf16), 4 * 3 * 48);
    Network features = chain({conv(3, 64, 3), conv(64, 64, 3), conv(64, 64, 3), conv(64, 3, 3)});
    analyse(features, "test");
    EXPECT_EQ(activation_bytes_per_pixel(features, Precision::fp32), 4 * 2 * 64);
    EXPECT_EQ(activation_bytes_per_pixel(features, Precision::bf16), 4 * 64 + 2 * 64);   // the first layer is fp32
}

TEST(Analyse, leaves_out_what_the_output_does_not_need) {
    Network network = chain({conv(3, 64, 3), conv(64, 3, 3)});
    network.nodes.push_back(conv(3, 3, 1));
    network.nodes.back().inputs = {0};
    network.output = 3;
    analyse(network, "test");
    EXPECT_EQ(network.macs_per_pixel, 9);
    EXPECT_EQ(network.receptive_radius, 0);
}

TEST(Analyse, refuses_unsound_networks) {
    const auto refusal = [](Network network) -> std::string {
        try {
            analyse(network, "some.file");
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::model);
            EXPECT_THAT(error.what(), HasSubstr("some.file"));
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(refusal(chain({conv(3, 4, 3)})), HasSubstr("must give 3 channels, but gives 4"));
    EXPECT_THAT(refusal(chain({conv(4, 3, 3)})), HasSubstr("3 come in"));
    EXPECT_THAT(refusal(chain({conv(3, 3, 3, 1, 0)})), HasSubstr("plus -2 pixels"));
    EXPECT_THAT(refusal(chain({conv(3, 3, 1, 2, 0)})), HasSubstr("1/2 times"));
    EXPECT_THAT(refusal(chain({resize(9, 1, InterpolateMode::nearest)})), HasSubstr("1 to 8 times"));
    EXPECT_THAT(refusal(chain({conv(3, 48, 3), shuffle(3)})), HasSubstr("factor squared"));
    EXPECT_THAT(refusal(chain({prelu(4)})), HasSubstr("4 slopes for 3 channels"));
    EXPECT_THAT(refusal(Network{}), HasSubstr("no layers"));
    EXPECT_THAT(refusal(chain({resize(2, 4, InterpolateMode::nearest)})), HasSubstr("not a reduced fraction"));

    Network sizes = chain({conv(3, 3, 3), conv(3, 12, 3), shuffle(2)});
    sizes.nodes.push_back(add(1, 3));
    sizes.output = 4;
    EXPECT_THAT(refusal(sizes), HasSubstr("different sizes"));

    Network later = chain({conv(3, 3, 3)});
    later.nodes[1].inputs = {1};
    EXPECT_THAT(refusal(later), HasSubstr("comes after it"));

    Network weights = chain({conv(3, 3, 3)});
    weights.nodes[1].weights.pop_back();
    EXPECT_THAT(refusal(weights), HasSubstr("do not fill their shape"));

    Network bias = chain({conv(3, 3, 3)});
    bias.nodes[1].bias = {0};
    EXPECT_THAT(refusal(bias), HasSubstr("one bias a channel"));

    Network growing = chain({});
    for (int i = 0; i < 40; ++i) {   // 3 * 2^40 channels
        Node twice;
        twice.op = Op::concat;
        twice.name = "twice";
        twice.inputs = {i, i};
        growing.nodes.push_back(twice);
    }
    growing.output = 40;
    EXPECT_THAT(refusal(growing), HasSubstr("too many output channels"));
}

}   // namespace
}   // namespace millstream

"""The data types of huaju4k, in the order their fields are constructed. Times in s, memory in MB."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any


@dataclass
class VideoInfo:
    """What analyze_video finds. Rates in frames, bits, samples a second."""

    resolution: tuple[int, int]
    duration: float
    framerate: float
    codec: str
    bitrate: int
    has_audio: bool
    audio_channels: int = 0
    audio_sample_rate: int = 0
    file_size: int = 0
    """bytes"""
    format: str = ""

    @property
    def aspect_ratio(self) -> float:
        """Width by height; 0 where there is no height."""
        width, height = self.resolution
        return width / height if height else 0.0

    @property
    def total_frames(self) -> int:
        return round(self.duration * self.framerate)

    @property
    def is_4k(self) -> bool:
        width, height = self.resolution
        return width >= 3840 or height >= 2160


@dataclass
class ProcessingStrategy:
    """What a caller asks for."""

    tile_size: tuple[int, int] = (512, 512)
    overlap_pixels: int = 32
    batch_size: int = 1
    use_gpu: bool = True
    ai_model: str = "real_esrgan_x4"
    quality_preset: str = "balanced"
    """fast, balanced, high"""
    memory_limit_mb: int = 4096
    target_resolution: tuple[int, int] = (0, 0)
    """(0, 0): twice the input"""
    denoise_strength: float = 0.7
    media_pipeline: dict[str, Any] | None = None
    audio_enhancement: bool = False


@dataclass
class ProcessResult:
    """How a run ended. `error` and `error_message` are the same text; what does not apply is falsy, never missing."""

    success: bool = False
    output_path: str | None = None
    processing_time: float = 0.0
    quality_metrics: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    performance_report: dict[str, Any] = field(default_factory=dict)
    memory_peak_mb: float = 0.0
    frames_processed: int = 0
    processing_speed_fps: float = 0.0
    checkpoint_path: str | None = None
    error_message: str | None = None

    def __post_init__(self) -> None:
        self.error = self.error or self.error_message
        self.error_message = self.error


@dataclass
class StreamingResult:
    """What process_streaming gives back."""

    success: bool = False
    output_path: str = ""
    processing_time: float = 0.0
    frames_processed: int = 0
    peak_memory_mb: int = 0
    peak_vram_mb: int = 0
    average_fps: float = 0.0
    disk_usage_mb: int = 0
    error_message: str = ""
    checkpoint_used: bool = False


@dataclass
class TileConfiguration:
    """How frames are cut."""

    tile_width: int
    tile_height: int
    overlap: int
    batch_size: int
    memory_usage_mb: int
    processing_mode: str
    """gpu, cpu"""


@dataclass
class CheckpointData:
    """State of an interrupted run."""

    checkpoint_id: str
    timestamp: datetime
    processor_state: dict[str, Any]
    processing_progress: float
    current_stage: str
    input_path: str
    output_path: str
    strategy: Any
    metadata: dict[str, Any] = field(default_factory=dict)

    def is_valid(self) -> bool:
        """It names what it belongs to, and its progress is a share."""
        return bool(self.checkpoint_id and self.input_path) and 0 <= self.processing_progress <= 1


@dataclass
class ResourceStatus:
    """What the machine has left."""

    available_memory_mb: int
    available_gpu_memory_mb: int
    cpu_usage_percent: float
    gpu_usage_percent: float
    disk_space_mb: int

    @property
    def memory_pressure(self) -> str:
        """low, medium, high"""
        return "high" if self.available_memory_mb < 1024 else "medium" if self.available_memory_mb < 4096 else "low"


@dataclass
class TheaterFeatures:
    """What was heard of a hall."""

    venue_size: str = "medium"
    """small, medium, large"""
    reverb_time: float = 0.0
    noise_floor: float = 0.0
    """dB"""
    dialogue_frequency_range: tuple[float, float] = (300.0, 3400.0)
    """Hz"""
    dynamic_range: float = 0.0
    """dB"""
    spatial_characteristics: dict[str, Any] = field(default_factory=dict)
    ambient_noise_profile: dict[str, Any] = field(default_factory=dict)


@dataclass
class AudioResult:
    """How an enhancement of sound ended. Here sound is copied as it is: nothing makes one."""

    success: bool = False
    output_path: str | None = None
    processing_time: float = 0.0
    quality_improvements: dict[str, Any] = field(default_factory=dict)
    theater_features: TheaterFeatures | None = None
    error: str | None = None


@dataclass
class GANPolicy:
    """Whether and where a generative step was used: what a quality validator asks."""

    global_allowed: bool = False
    strength: str = "weak"
    highlight_threshold: float = 0.85
    shadow_threshold: float = 0.15
    edge_threshold: float = 0.1
    motion_threshold: float = 0.05


@dataclass
class TemporalConfig:
    """Whether still parts were held still: what a quality validator asks."""

    background_lock: bool = True
    strength: str = "medium"
    motion_threshold: float = 0.05
    optical_flow_enabled: bool = True
    smoothing_alpha: float = 0.3

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class MemoryConfig:
    """How memory was used."""

    max_model_loaded: int = 1
    tile_size: int = 512
    batch_size: int = 1
    use_fp16: bool = False
    max_workers: int = 4


@dataclass
class EnhancementStrategy:
    """A plan as quality validators read it."""

    resolution_plan: list[str] = field(default_factory=lambda: ["x2"])
    gan_policy: GANPolicy = field(default_factory=GANPolicy)
    temporal_strategy: TemporalConfig = field(default_factory=TemporalConfig)
    memory_policy: MemoryConfig = field(default_factory=MemoryConfig)
    audio_strategy: dict[str, Any] = field(default_factory=dict)
    strategy_version: str = "1.0"
    generation_timestamp: str = ""
    source_features_hash: str = ""

    def save_to_file(self, path: str) -> None:
        """As JSON."""
        Path(path).write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
